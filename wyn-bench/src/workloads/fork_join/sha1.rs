//! SHA-1 of one short message: the random numbers of the unbalanced tree search. Not for secrets.

/// The hash of a message of at most 55 bytes, which fits into one block.
pub(super) fn sha1(message: &[u8]) -> [u8; 20] {
    const FIRST: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let words = schedule(message);
    let mut state = FIRST;
    rounds(&mut state, &words[..20], 0x5a82_7999, |b, c, d| d ^ (b & (c ^ d)));
    rounds(&mut state, &words[20..40], 0x6ed9_eba1, |b, c, d| b ^ c ^ d);
    rounds(&mut state, &words[40..60], 0x8f1b_bcdc, |b, c, d| (b & c) | (d & (b | c)));
    rounds(&mut state, &words[60..], 0xca62_c1d6, |b, c, d| b ^ c ^ d);
    let mut hash = [0; 20];
    for ((bytes, word), first) in hash.chunks_exact_mut(4).zip(state).zip(FIRST) {
        bytes.copy_from_slice(&word.wrapping_add(first).to_be_bytes());
    }
    hash
}

/// Twenty rounds, five at a time: after five, every variable has its old role again.
#[inline]
fn rounds(state: &mut [u32; 5], words: &[u32], constant: u32, mix: impl Fn(u32, u32, u32) -> u32) {
    let round = |a: u32, b: &mut u32, c: u32, d: u32, e: &mut u32, word: u32| {
        let sum = a.rotate_left(5).wrapping_add(mix(*b, c, d)).wrapping_add(*e);
        *e = sum.wrapping_add(constant).wrapping_add(word);
        *b = b.rotate_left(30);
    };
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for five in words.chunks_exact(5) {
        round(a, &mut b, c, d, &mut e, five[0]);
        round(e, &mut a, b, c, &mut d, five[1]);
        round(d, &mut e, a, b, &mut c, five[2]);
        round(c, &mut d, e, a, &mut b, five[3]);
        round(b, &mut c, d, e, &mut a, five[4]);
    }
    *state = [a, b, c, d, e];
}

/// The padded block, spread over the eighty rounds.
fn schedule(message: &[u8]) -> [u32; 80] {
    let mut block = [0_u8; 64];
    block[..message.len()].copy_from_slice(message);
    block[message.len()] = 0x80;
    block[56..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    let mut words = [0; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for i in 16..80 {
        words[i] = (words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16]).rotate_left(1);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        let hash: String = sha1(b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
