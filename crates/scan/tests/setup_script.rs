//! What a `setup.py` says plainly, and what it doesn't.

#![expect(clippy::unwrap_used, reason = "what fails here is the test's failure")]

use bnbpip_packaging::{CoreMetadata, Requires};
use bnbpip_scan::{SetupOptions, setup_requirements};

const IMPORT: &str = "from setuptools import find_packages, setup\n";

fn read(script: &str) -> Option<Requires> {
    read_whole(&format!("{IMPORT}{script}"))
}

fn read_whole(script: &str) -> Option<Requires> {
    setup_requirements(Some(script.as_bytes()), &SetupOptions::default())
}

fn requires(fields: &[&str]) -> Requires {
    let metadata = format!(
        "Metadata-Version: 2.1\nName: a\nVersion: 1\n{}\n",
        fields.join("\n")
    );
    CoreMetadata::parse(metadata.as_bytes()).unwrap().requires()
}

/// Whether a script says what metadata with these fields does.
fn says(script: &str, fields: &[&str]) -> bool {
    read(script) == Some(requires(fields))
}

#[test]
fn requirements_are_read_however_they_are_written() {
    let numpy_and_six = ["Requires-Dist: numpy>=1,<2", "Requires-Dist: six"];
    for script in [
        "setup(name='a', version=read('v'), install_requires=['six', 'numpy >= 1, < 2'])",
        "setup(install_requires=('numpy<2,>=1', 'six'))",
        "setup(install_requires='numpy<2,>=1\\n# and\\n\\nsix\\n')",
        "setup(install_requires=['numpy' + '>=1' ',<2'] + ['six'])",
        "NUMPY = 'numpy>=1,<2'\nREQUIRES = [NUMPY]\nsetup(install_requires=REQUIRES + ['six'])",
        "base: list = ['numpy>=1,<2']\nsetup(install_requires=[*base, 'six'], zip_safe=False)",
        "import sys\nif sys.argv: print(1)\nsetup(\n    install_requires={'six', 'numpy>=1,<2'})",
        "def main():\n    needs = ['six', 'numpy>=1,<2']\n    setup(install_requires=needs)\nmain()",
        "if __name__ == '__main__':\n    needs = ['six', 'numpy>=1,<2']\n    setup(install_requires=needs)",
        "for one in ():\n    print(one)\nneeds = ['six', 'numpy>=1,<2']\nfor one in needs:\n    print(one)\n\
         setup(install_requires=needs)",
        "setup(install_requires=['six', 'numpy>=1,<2'], cmdclass={'build_ext': Build})",
    ] {
        assert!(says(script, &numpy_and_six), "{script}");
        assert!(!says(script, &numpy_and_six[..1]), "{script}");
    }
    for (import, call) in [
        ("import setuptools", "setuptools.setup"),
        (
            "try:\n    from setuptools import setup\nexcept ImportError:\n    from distutils.core import setup",
            "setup",
        ),
    ] {
        let script = format!("{import}\n{call}(name='a')\n");
        assert!(read_whole(&script).is_some_and(|found| found.is_empty()));
    }
}

#[test]
fn extras_and_pythons_count() {
    let script = "extra = ['x>1']\nsetup(python_requires='>=3.6, <4', extras_require={\n\
                  'a': extra, 'b:sys_platform == \"win32\"': ['y; python_version < \"3.8\"'],\n\
                  ':os_name == \"nt\"': 'z', 'c': []})";
    let fields = [
        "Requires-Python: <4,>=3.6",
        "Requires-Dist: x >1; extra == 'a'",
        "Requires-Dist: y; (python_version < '3.8' and sys_platform == 'win32') and extra == 'b'",
        "Requires-Dist: z; os_name == 'nt'",
        "Provides-Extra: a",
        "Provides-Extra: b",
        "Provides-Extra: c",
    ];
    assert!(says(script, &fields));
    for left_out in 0..fields.len() {
        let mut fewer = fields.to_vec();
        fewer.remove(left_out);
        assert!(!says(script, &fewer), "{}", fields[left_out]);
    }
    assert!(says("setup(extras_require=None, python_requires='')", &[]));
}

#[test]
fn what_is_computed_is_not_read() {
    for script in [
        // Computed, or from elsewhere.
        "setup(install_requires=open('requirements.txt').read().splitlines())",
        "setup(install_requires=[f'six=={V}'])",
        "setup(install_requires=['six'] if OLD else [])",
        "setup(install_requires=needs)",
        "setup(install_requires=['six'] * 2)",
        "setup(**settings)",
        "setup('a')",
        "setup(install_requires=['six \\\\\\n>=1'])",
        "setup(install_requires=['not a requirement'])",
        // Changed on the way.
        "needs = ['six']\nif sys.version_info < (3,):\n    needs.append('enum34')\nsetup(install_requires=needs)",
        "needs = ['six']\nneeds += ['a']\nsetup(install_requires=needs)",
        "needs = ['six']\nneeds[0] = 'a'\nsetup(install_requires=needs)",
        "needs = ['six']\nalso = needs\nalso.append('a')\nsetup(install_requires=needs)",
        "needs = ['six']\nchange(needs)\nsetup(install_requires=needs)",
        "if OLD:\n    needs = ['six']\nelse:\n    needs = []\nsetup(install_requires=needs)",
        "try:\n    needs = ['six']\nexcept E:\n    pass\nsetup(install_requires=needs)",
        "for needs in ['six'], []:\n    pass\nsetup(install_requires=needs)",
        "import needs\nneeds = ['six']\nsetup(install_requires=needs)",
        "def f(needs): pass\nneeds = ['six']\nsetup(install_requires=needs)",
        "extras = {'a': ['b']}\nextras['all'] = extras['a']\nsetup(extras_require=extras)",
        "if OLD:\n    needs = ['six']\nelse:\n    setup(install_requires=needs)",
        // Not surely setuptools' one call.
        "",
        "setup(name='a')\nsetup(name='b')",
        "def setup(**k): pass\nsetup(name='a')",
        "from skbuild import setup\nsetup(name='a')",
        "from numpy.distutils.core import setup\nsetup(name='a')",
        "other.setup(name='a')",
        "setup(distclass=Mine)",
        "setup(cmdclass={'egg_info': Mine})",
        "setup(cmdclass=dict(egg_info=Mine))",
        "needs = needs\nsetup(install_requires=needs)",
    ] {
        assert_eq!(read(script), None, "{script}");
    }
    assert_eq!(read_whole("from .setuptools import setup\nsetup()\n"), None);
    assert_eq!(read_whole("setup(\n"), None);
}

#[test]
fn what_grows_without_end_is_given_up() {
    for first in ["['six', 'six']", "'six'"] {
        let doubled = (1..60).map(|step| format!("a{step} = a{0} + a{0}\n", step - 1));
        let script = format!(
            "a0 = {first}\n{}setup(install_requires=a59)",
            doubled.collect::<String>()
        );
        assert_eq!(read(&script), None);
    }
    let long = format!("a = '{}'\n", "a".repeat(100_000));
    assert!(read(&format!("{long}setup(install_requires=[a])")).is_some());
    let often = "a, ".repeat(1_000);
    assert_eq!(
        read(&format!("{long}setup(install_requires=[{often}])")),
        None
    );
}

#[test]
fn a_setup_cfg_says_it_in_lists_of_its_own() {
    let options = |install: &str, extra: &str, python: &str| SetupOptions {
        install_requires: Some(install.to_owned()),
        extras_require: vec![("more".to_owned(), extra.to_owned())],
        python_requires: Some(python.to_owned()),
    };
    let said = options("\nsix\n# why\nnumpy>=1; os_name == 'nt'", "a; b>1", ">=3.6");
    let fields = [
        "Requires-Dist: six",
        "Requires-Dist: numpy>=1; os_name == 'nt'",
        "Requires-Dist: a; extra == 'more'",
        "Requires-Dist: b>1; extra == 'more'",
        "Provides-Extra: more",
        "Requires-Python: >=3.6",
    ];
    let script = format!("{IMPORT}setup()");
    let script = Some(script.as_bytes());
    assert_eq!(setup_requirements(script, &said), Some(requires(&fields)));
    assert_eq!(setup_requirements(None, &said), Some(requires(&fields)));
    let from_a_file = options("file: requirements.txt", "a", ">=3.6");
    assert_eq!(setup_requirements(script, &from_a_file), None);
    // Which of both counts is for setuptools to say.
    for both in ["install_requires=['six']", "python_requires='>=3'"] {
        let script = format!("{IMPORT}setup({both})");
        assert_eq!(setup_requirements(Some(script.as_bytes()), &said), None);
    }
}
