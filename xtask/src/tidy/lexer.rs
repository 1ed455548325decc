//! Splits Rust source into code and comments, line by line; strings become blanks.
//!
//! Enough of the language to never mistake a comment or a string for code. It does not parse.

/// One line of a file: its code without strings and comments, and the text of its comments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) code: String,
    pub(crate) comment: String,
}

impl Line {
    /// Nothing but comment, attribute or blank: it may stand between a comment and what it explains.
    pub(crate) fn is_comment_or_attribute(&self) -> bool {
        let code = self.code.trim();
        (code.is_empty() && !self.comment.is_empty()) || code.starts_with("#[") || code.starts_with("#![")
    }
}

/// The lines of `source`.
pub(crate) fn lines(source: &str) -> Vec<Line> {
    let mut lexer = Lexer { chars: source.chars().collect(), at: 0, lines: vec![Line::default()] };
    while let Some(c) = lexer.peek(0) {
        lexer.token(c);
    }
    lexer.lines
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    lines: Vec<Line>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn line(&mut self) -> &mut Line {
        self.lines.last_mut().expect("there is always a line")
    }

    /// Moves past one character, opening a new line after a line feed.
    fn skip(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        if c == '\n' {
            self.lines.push(Line::default());
        }
        Some(c)
    }

    fn code(&mut self) {
        if let Some(c) = self.peek(0)
            && c != '\n'
        {
            self.line().code.push(c);
        }
        self.skip();
    }

    fn comment(&mut self) {
        if let Some(c) = self.peek(0)
            && c != '\n'
        {
            self.line().comment.push(c);
        }
        self.skip();
    }

    fn token(&mut self, c: char) {
        match (c, self.peek(1)) {
            ('/', Some('/')) => self.line_comment(),
            ('/', Some('*')) => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.quote(),
            _ if c.is_alphabetic() || c == '_' => self.word(),
            _ => self.code(),
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.comment();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.comment();
                    continue;
                }
            }
            self.comment();
            self.comment();
            if depth == 0 {
                return;
            }
        }
    }

    /// A string with escapes, from its opening quote.
    fn string(&mut self) {
        self.skip();
        self.line().code.push('"');
        while let Some(c) = self.skip() {
            match c {
                '\\' => {
                    self.skip();
                }
                '"' => break,
                _ => {}
            }
        }
        self.line().code.push('"');
    }

    /// A raw string, from its first `#` or quote.
    fn raw_string(&mut self) {
        let mut hashes = 0;
        while self.peek(0) == Some('#') {
            hashes += 1;
            self.skip();
        }
        self.skip();
        self.line().code.push('"');
        while let Some(c) = self.skip() {
            if c == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                self.at += hashes;
                break;
            }
        }
        self.line().code.push('"');
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == Some('\\') {
            self.skip();
            while let Some(c) = self.skip() {
                match c {
                    '\\' => {
                        self.skip();
                    }
                    '\'' => break,
                    _ => {}
                }
            }
        } else if self.peek(2) == Some('\'') {
            for _ in 0..3 {
                self.skip();
            }
        } else {
            self.code();
        }
    }

    /// An identifier, or the prefix of a string: `r"`, `br#"`, `c"`, `b'`.
    fn word(&mut self) {
        let start = self.at;
        while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_') {
            self.code();
        }
        let word: String = self.chars[start..self.at].iter().collect();
        let raw = matches!(word.as_str(), "r" | "br" | "cr");
        let mut ahead = 0;
        while raw && self.peek(ahead) == Some('#') {
            ahead += 1;
        }
        if raw && self.peek(ahead) == Some('"') {
            self.raw_string();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(source: &str) -> String {
        lines(source).iter().map(|line| line.code.as_str()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn comments_are_not_code() {
        let split = lines("a(); // unsafe { }\n/* unsafe\n /* nested */ still */ b();");
        assert_eq!(split[0].code, "a(); ");
        assert_eq!(split[0].comment, "// unsafe { }");
        assert_eq!(split[1].code, "");
        assert_eq!(split[2].code, " b();");
        assert!(split[2].comment.contains("still"));
    }

    #[test]
    fn strings_are_blank() {
        assert_eq!(code_of(r#"f("unsafe { \" // x", 1)"#), r#"f("", 1)"#);
        assert_eq!(code_of("f(r#\"a \" // \"#, 2)"), "f(r\"\", 2)");
        assert_eq!(code_of("f(br\"unsafe\", 3)"), "f(br\"\", 3)");
        assert_eq!(code_of("f(\"two\nlines\", 4)"), "f(\"\n\", 4)");
    }

    #[test]
    fn quotes_open_characters_or_lifetimes() {
        assert_eq!(
            code_of("fn f<'a>(x: &'a str) { g('\"', '\\'', '\\u{7f}', b'/') }"),
            "fn f<'a>(x: &'a str) { g(, , , b) }"
        );
    }

    #[test]
    fn raw_identifiers_stay() {
        assert_eq!(code_of("r#type + r"), "r#type + r");
    }

    #[test]
    fn unfinished_input_ends() {
        for source in ["\"open", "/* open", "r#\"open", "'", "'\\", "b'\\", "//"] {
            assert!(!lines(source).is_empty());
        }
    }
}
