//! Mangled files: whatever a package's author writes, a parser answers and doesn't panic.

use bnbpip_packaging::{CoreMetadata, EntryPoints, Hashes, WheelFilename, WheelMetadata, record};

/// Sound files and such as have broken installers.
const SEEDS: &[&str] = &[
    "Metadata-Version: 2.4\nName: a\nVersion: 1.0\nRequires-Dist: b[x,y]>=1,<2; extra == 'z' and (os_name == 'nt' or python_version < '3.9')\nProvides-Extra: z\nRequires-Python: >=3.9,!=3.9.1\n\nText: é\n",
    "Name: a\nVersion: 1!2.0rc1.post3.dev4+cu126.9\nRequires-Dist: c @ https://host.example/c-1.0-py3-none-any.whl#sha256=00 ; sys_platform=='win32'\n",
    "a/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n\"a,b\"\"c.py\",,\n../../bin/x,sha256=x,99999999999999999999\n",
    "[console_scripts]\nrun = pkg.mod:main [extra]\n[gui_scripts]\n\u{feff}w=m:f\n",
    "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "torch-2.6.0+cu126-1build-cp312.cp313-cp312-manylinux_2_28_x86_64.win_amd64.whl",
    "sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855&md5=0",
];

/// A generator with a fixed start: a failure repeats itself.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % end.max(1)
    }
}

fn mangle(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    const TOKENS: &[&[u8]] = &[
        b"\0",
        b"\xff",
        b"\r",
        b"\n",
        b"\"",
        b",",
        b"[",
        b"(((((((((",
        b";",
        b"==",
        b"999999999999999999999",
        b"..",
        b"\x1b[31m",
        "\u{202e}".as_bytes(),
        b"+",
        b"!",
        b"*",
        b" and ",
        b"extra",
    ];
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let end = (at + numbers.below(12)).min(bytes.len());
        match numbers.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy.repeat(numbers.below(5)));
            }
            2 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            3 => bytes.truncate(at),
            _ => drop(bytes.splice(at..end, TOKENS[numbers.below(TOKENS.len())].iter().copied())),
        }
    }
}

fn parse_all(bytes: &[u8]) {
    drop(CoreMetadata::parse(bytes));
    let text = String::from_utf8_lossy(bytes);
    drop(record::parse(&text));
    drop(EntryPoints::parse(&text));
    drop(WheelMetadata::parse(&text));
    drop(text.parse::<WheelFilename>());
    drop(Hashes::parse_fragment(&text));
}

#[test]
fn no_mangled_file_makes_a_parser_panic() {
    let mut numbers = Numbers(1);
    for round in 0..20_000 {
        let mut bytes = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        mangle(&mut bytes, &mut numbers);
        parse_all(&bytes);
    }
}

#[test]
fn deep_nesting_is_no_crash() {
    for depth in [100, 5_000, 50_000] {
        let marker = format!("{}os_name == 'nt'{}", "(".repeat(depth), ")".repeat(depth));
        let text = format!("Name: a\nVersion: 1\nRequires-Dist: b; {marker}\n");
        parse_all(text.as_bytes());
    }
}
