//! Markup that cannot be malformed: elements close themselves, text and attributes are escaped.

use std::fmt::{Display, Write as _};

use serde_json::Value;

/// Finished markup.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Html(String);

/// An element while it is put together.
pub(super) struct Element {
    name: &'static str,
    attributes: String,
    inner: String,
}

pub(super) fn el(name: &'static str) -> Element {
    Element { name, attributes: String::new(), inner: String::new() }
}

/// Text of the page: `<` and its like are only characters.
pub(super) fn text(text: impl Display) -> Html {
    Html(escaped(&text.to_string()))
}

impl Html {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Element {
    pub(super) fn at(mut self, name: &str, value: impl Display) -> Element {
        let _ = write!(self.attributes, " {name}=\"{}\"", escaped(&value.to_string()));
        self
    }

    pub(super) fn class(self, value: impl Display) -> Element {
        self.at("class", value)
    }

    /// A coordinate, to a tenth.
    pub(super) fn num(self, name: &str, value: f64) -> Element {
        let value = format!("{value:.1}");
        self.at(name, value.strip_suffix(".0").unwrap_or(&value))
    }

    /// An attribute without a value.
    pub(super) fn flag(mut self, name: &str) -> Element {
        let _ = write!(self.attributes, " {name}");
        self
    }

    pub(super) fn text(self, words: impl Display) -> Element {
        self.child(text(words))
    }

    pub(super) fn child(mut self, child: impl Into<Html>) -> Element {
        self.inner += &child.into().0;
        self
    }

    pub(super) fn children<T: Into<Html>>(self, children: impl IntoIterator<Item = T>) -> Element {
        children.into_iter().fold(self, Element::child)
    }

    /// The text of `<style>` and `<script>`, which ends at the first `</`.
    pub(super) fn raw(mut self, source: &str) -> Element {
        assert!(!source.contains("</"), "the source would end its element");
        self.inner += source;
        self
    }

    /// JSON for scripts: no markup can begin in it.
    pub(super) fn json(self, value: &Value) -> Element {
        self.raw(&value.to_string().replace('<', r"\u003c"))
    }
}

impl From<Element> for Html {
    fn from(element: Element) -> Html {
        let Element { name, attributes, inner } = element;
        match name {
            "meta" | "input" => Html(format!("<{name}{attributes}>\n")),
            "tr" | "li" | "section" | "article" | "svg" | "details" | "figure" | "table" => {
                Html(format!("<{name}{attributes}>{inner}</{name}>\n"))
            }
            _ => Html(format!("<{name}{attributes}>{inner}</{name}>")),
        }
    }
}

impl<T: Into<Html>> FromIterator<T> for Html {
    fn from_iter<I: IntoIterator<Item = T>>(parts: I) -> Html {
        parts.into_iter().fold(Html::default(), |all, part| Html(all.0 + &part.into().0))
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Panics where an element is not closed, or closed by another.
#[cfg(test)]
pub(super) fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "before {}", &rest[..rest.len().min(80)]);
        } else if !["!DOCTYPE", "meta", "input"].contains(&name) {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{tag}");
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            open.push(name);
            if ["script", "style"].contains(&name) {
                rest = &rest[rest.find("</").expect("a script ends")..];
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hostile_strings_stay_strings() {
        let hostile = "</script><script>alert('x')</script>\"&";
        let page: Html = el("p").at("title", hostile).text(hostile).into();
        assert_well_formed(page.as_str());
        assert!(!page.as_str().contains("<script"));
        let data: Html = el("script").at("type", "application/json").json(&json!({"a": hostile})).into();
        assert_well_formed(data.as_str());
        assert_eq!(data.as_str().matches("</script>").count(), 1);
        let inner = data.as_str().trim_end_matches("</script>").split_once('>').unwrap().1;
        assert_eq!(serde_json::from_str::<Value>(inner).unwrap(), json!({"a": hostile}));
    }

    #[test]
    #[should_panic(expected = "left")]
    fn the_check_sees_an_open_element() {
        assert_well_formed("<p><b></p></b>");
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(
            Html::from(el("rect").num("x", 12.04).num("y", 1.26)).as_str(),
            r#"<rect x="12" y="1.3"></rect>"#
        );
    }
}
