from setuptools import find_packages, setup

BASE = ["numpy>=1.20", "six; python_version < '3'"]
TESTS = ("pytest", *BASE)


def main():
    with open("README.md") as file:
        text = file.read()
    setup(
        name="demo",
        version="1.0",
        long_description=text,
        packages=find_packages(),
        install_requires=BASE + ["torch"],
        extras_require={"test": TESTS, ":sys_platform == 'win32'": "colorama", **{"docs": []}},
        python_requires=">=3.8",
        cmdclass={"build_ext": None},
    )


if __name__ == "__main__":
    main()
