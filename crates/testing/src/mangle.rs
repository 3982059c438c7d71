//! Files as nobody meant them: mutations from a fixed start, so that a failure repeats itself.

/// Pieces of text that have broken parsers.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\r",
    b"\n",
    b"\r\n ",
    b"\"",
    b"'",
    b",",
    b"[",
    b"]]",
    b"{",
    b"<a href=",
    b"&#x0;",
    b"(((((((((",
    b";",
    b"@",
    b"==",
    b"~=",
    b"===",
    b"-r ",
    b"\\\n",
    b"${A}",
    b"999999999999999999999",
    b"18446744073709551615",
    b"-1",
    b"1e999",
    b"..",
    b"../",
    b"\x1b[31m",
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
    b"+",
    b"!",
    b"*",
    b" and ",
    b"extra",
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"\xff\xff\xff\xff",
];

/// A generator of numbers, by its start.
#[derive(Debug, Clone)]
pub struct Mangler(u64);

impl Mangler {
    /// A generator that starts here.
    pub fn new(start: u64) -> Self {
        Self(start)
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % end.max(1)
    }

    /// Changes some bytes: removes, repeats, flips, cuts, and puts in what has broken parsers, or
    /// a piece of `other`.
    pub fn mangle(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(12)).min(bytes.len());
            match self.below(8) {
                0 => drop(bytes.drain(at..end)),
                1 => {
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy.repeat(self.below(5)));
                }
                2 | 3 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                4 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                5 if self.below(8) == 0 => bytes.truncate(at),
                6 => {
                    let from = self.below(other.len());
                    let to = (from + self.below(40)).min(other.len());
                    drop(bytes.splice(at..end, other[from..to].iter().copied()));
                }
                _ => drop(bytes.splice(at..end, TOKENS[self.below(TOKENS.len())].iter().copied())),
            }
        }
    }
}

/// Runs `parse` on every seed as it is, then on `rounds` mangled ones; the answer is how many
/// inputs that were.
pub fn replay(seeds: &[Vec<u8>], rounds: usize, parse: &mut dyn FnMut(&[u8])) -> usize {
    for seed in seeds {
        parse(seed);
    }
    let mut mangler = Mangler::new(1);
    for round in 0..rounds {
        let mut bytes = seeds[round % seeds.len()].clone();
        let other = &seeds[mangler.below(seeds.len())];
        mangler.mangle(&mut bytes, other);
        parse(&bytes);
    }
    seeds.len() + rounds
}

/// The files of a folder of seeds, in the order of their names.
pub fn seeds(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let entries = fs_err::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no seeds in {}", folder.display());
    paths
        .iter()
        .map(|path| fs_err::read(path).unwrap())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_start_gives_the_same_files() {
        let mangled = || {
            let mut all = Vec::new();
            replay(&[b"name: value".to_vec()], 50, &mut |bytes| {
                all.push(bytes.to_vec());
            });
            all
        };
        assert_eq!(mangled(), mangled());
        assert_eq!(mangled().len(), 51);
        let different: std::collections::BTreeSet<Vec<u8>> = mangled().into_iter().collect();
        assert!(different.len() > 40);
    }
}
