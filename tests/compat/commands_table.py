"""The command lines that `commands.py` compares. `TABLE` yields (group, row)."""

ALREADY = r"^Requirement already satisfied: "
INSTALLED = r"^Successfully installed "


def TABLE(case):
    for group, rows in groups(case).items():
        for row in rows:
            yield group, row


def groups(case):
    return {
        "general": general(case),
        "list": listing(case),
        "freeze": freezing(case),
        "show": showing(case),
        "check, inspect": checking(case),
        "index versions": index(case),
        "hash, completion, debug, help, cache": small(case),
        "download, wheel": downloading(case),
        "install": installing(case),
        "install: requirements files": files(case),
        "install: what can't be": refused(case),
        "uninstall": removing(case),
    }


def general(case):
    return [
        case("!", r"^Usage:", r"^\s+install\s", r"^\s+download\s", how="phrases"),
        case("!--help", r"^Usage:", r"^General Options:"),
        case("!-h", r"^Commands:"),
        case("!help", r"^Commands:"),
        case("!help install", r"^Install Options:", r"^Package Index Options:", r"--upgrade-strategy"),
        case("!install --help", r"^Install Options:", r"--no-deps", r"--force-reinstall"),
        case("!help nonsense", r'^ERROR: unknown command "nonsense"'),
        case("!instal x", r'^ERROR: unknown command "instal" - maybe you meant "install"$'),
        case("!uninstal x", r'maybe you meant "uninstall"$'),
        case("!xyzzy", r'^ERROR: unknown command "xyzzy"$'),
        case("!remove x", r'^ERROR: unknown command "remove"'),
        case("!install --bogus", r"^no such option: --bogus$", r"^Usage:"),
        case("!--bogus", r"^no such option: --bogus$"),
        case("!list --format yaml", r"invalid choice: 'yaml' \(choose from '?columns'?, '?freeze'?, '?json'?\)"),
        case("!install -r", r"-r option requires 1 argument"),
        case("!list --path", r"--path option requires 1 argument"),
        case("!--timeout soon list", r"option --timeout: invalid"),
        case("!install --pre=yes x", r"--pre option does not take a value"),
        case("!install --no-c x", r"^ambiguous option: --no-c "),
        case("list --form json", how="json"),
        case("list --format=json -q", how="exact"),
        case("list -qq", how="exact"),
        case("-q list", how="exact"),
        case("list --isolated", how="exact", variables={"PIP_FORMAT": "json"}),
        case("list", how="json", variables={"PIP_FORMAT": "json"}),
        case("list", how="code", variables={"PIP_FORMAT": "yaml"}),
        case("list", how="code", variables={"PIP_TIMEOUT": "soon"}),
        case("list", how="code", variables={"PIP_REQUIRE_VIRTUALENV": "perhaps"}),
        case("list --require-virtualenv", how="exact"),
        case("list --log out/log.txt", how="code"),
        case("list --no-color --disable-pip-version-check --no-input", how="exact"),
        case("list --cache-dir cache --no-cache-dir", how="exact"),
        case("list --use-feature truststore", r"The following features are always enabled: truststore\.", how="exact"),
    ]


def listing(case):
    return [
        case("list", how="exact"),
        case("list", how="exact", state="bare"),
        case("list --format=columns", how="exact"),
        case("list --format=freeze", how="exact"),
        case("list --format=json", how="json"),
        case("list --format=json", how="json", state="bare"),
        case("list --format=freeze", how="exact", state="bare"),
        case("list -v", how="exact"),
        case("list -v --format=json", how="json"),
        case("list -v --format=freeze", how="exact"),
        case("list -e", how="exact"),
        case("list --editable --format=json", how="json"),
        case("list --exclude-editable", how="exact"),
        case("list --include-editable", how="exact"),
        case("list --exclude-editable -e", how="exact"),
        case("list --exclude alpha", how="exact"),
        case("list --exclude alpha --exclude mixed-case-name", how="exact"),
        case("list --not-required", how="exact"),
        case("list --not-required --format=json", how="json"),
        case("list -l", how="exact"),
        case("list --local --format=freeze", how="exact"),
        case("list --user", how="exact"),
        case("list --path wheels", how="exact"),
        case("list --path wheels --format=json", how="json"),
        case("list --path wheels --user", r"Cannot combine '--path' with '--user' or '--local'"),
        case("list -o", how="exact"),
        case("list --outdated --format=json", how="json"),
        case("list --outdated --pre --format=json", how="json"),
        case("list -o -v --format=json", how="json"),
        case("list -u", how="exact"),
        case("list --uptodate --format=freeze", how="exact"),
        case("list -o -u", r"^ERROR: Options --outdated and --uptodate cannot be combined\.$"),
        case("list -o --format=freeze", r"^ERROR: List format 'freeze' cannot be used with the --outdated option\.$"),
        case("list -o --no-index --find-links wheels", how="exact"),
        case("list -o --not-required", how="exact"),
    ]


def freezing(case):
    return [
        case("freeze", how="exact"),
        case("freeze", how="exact", state="bare"),
        case("freeze --all", how="exact"),
        case("freeze -l", how="exact"),
        case("freeze --user", how="exact"),
        case("freeze --exclude-editable", how="exact"),
        case("freeze --exclude alpha", how="exact"),
        case("freeze --exclude Mixed-Case-Name --exclude beta", how="exact"),
        case("freeze -r freeze.txt", r"contains not-installed, but package 'not-installed' is not installed", how="exact"),
        case("freeze -r freeze.txt -r freeze2.txt", r"^WARNING: Requirement beta included multiple times", how="exact"),
        case("freeze -r gone.txt", how="code", purpose="pip ends with a traceback, and code 2"),
        case("freeze --path wheels", how="exact"),
        case("freeze -q", how="exact"),
    ]


def showing(case):
    return [
        case("show alpha", how="exact"),
        case("show ALPHA beta", how="exact"),
        case("show -f tool", how="exact"),
        case("show --files alpha", how="exact"),
        case("show -v tool", how="exact"),
        case("show mixed.case-name", how="exact"),
        case("show editpkg", how="exact"),
        case("show nope", r"^WARNING: Package\(s\) not found: nope$", how="exact"),
        case("show alpha nope", r"^WARNING: Package\(s\) not found: nope$", how="exact"),
        case("show", r"ERROR: Please provide a package name or names\.$", how="exact"),
        case("show -q alpha", how="exact"),
    ]


def checking(case):
    return [
        case("check", how="exact"),
        case("check", how="exact", state="bare"),
        case("inspect", how="keys"),
        case("inspect", how="keys", state="bare"),
        case("inspect --local", how="keys"),
        case("inspect --path wheels", how="keys"),
        case("inspect --user --path wheels", r"Cannot combine '--path' with '--user' or '--local'"),
    ]


def index(case):
    return [
        case("index versions alpha", how="exact"),
        case("index versions alpha --json", how="json"),
        case("index versions alpha --pre --json", how="json"),
        case("index versions beta", how="exact"),
        case("index versions tool", how="exact", state="bare"),
        case("index versions Mixed.Case-Name --json", how="json"),
        case("index versions source --json", how="json"),
        case("index versions source --only-binary :all:", r"^ERROR: No matching distribution found for source$"),
        case("index versions future", r"^ERROR: No matching distribution found for future$"),
        case("index versions future --ignore-requires-python --json", how="json"),
        case("index versions win-only --platform win_amd64 --python-version 3.11 --json", how="json"),
        case("index versions nowhere", r"^ERROR: No matching distribution found for nowhere$"),
        case("index versions", r"^ERROR: You need to specify exactly one argument$"),
        case("index versions alpha beta", r"^ERROR: You need to specify exactly one argument$"),
        case("index", r"^ERROR: Need an action \(versions\) to perform\.$"),
        case("index list", r"^ERROR: Need an action \(versions\) to perform\.$"),
        case("index versions beta --no-index -f wheels --json", how="json"),
    ]


def small(case):
    return [
        case("hash archive.bin", how="exact"),
        case("hash archive.bin c.txt", how="exact"),
        case("hash -a sha384 archive.bin", how="exact"),
        case("hash --algorithm=sha512 archive.bin", how="exact"),
        case("hash -a md5 archive.bin", r"option (-a|--algorithm): invalid choice: 'md5'"),
        case("hash", r"^Usage:"),
        case("hash gone", how="code", purpose="pip ends with a traceback, and code 2"),
        case("!completion --bash", r"complete .*-F _", how="phrases"),
        case("!completion -z", r"^\s*#compdef"),
        case("!completion --fish", r"complete .*-c"),
        case("!completion --powershell", how="code"),
        case("!completion", r"^ERROR: You must pass --bash or --fish or --powershell or --zsh$"),
        case("debug", r"^sys\.executable: ", r"^sys\.platform: ", r"^Compatible tags: \d+$", r"This command is only meant for debugging"),
        case("debug --verbose", r"^  py3-none-any$", r"^  cp3\d+-cp3\d+-"),
        case("debug --platform win_amd64", r"^Compatible tags: \d+ \(target: platforms=\['win_amd64'\]\)$"),
        case("cache dir", how="code"),
        case("cache info", how="code"),
        case("cache list", r"^No locally built wheels cached\.$", how="phrases"),
        case("search", r"^ERROR: Missing required argument \(search query\)\.$"),
        case("cache list --format=abspath", how="code"),
        case("cache remove nothing", r'^WARNING: No matching packages for pattern "nothing"'),
        case("cache remove", r"^ERROR: Please provide a pattern$"),
        case("cache", r"^ERROR: Need an action \(dir, info, list, purge, remove\) to perform\.$"),
        case("cache bogus", r"^ERROR: Need an action \(dir, info, list, purge, remove\) to perform\.$"),
        case("cache dir --no-cache-dir", r"^ERROR: pip cache commands can not function since cache is disabled\.$"),
        case("cache purge", r"^Files removed: \d+"),
    ]


def downloading(case):
    return [
        case("download alpha -d out", r"^Saved \./out/alpha-2\.0-py3-none-any\.whl$", r"^Successfully downloaded "),
        case("download alpha --no-deps -d out", r"^Successfully downloaded alpha$"),
        case("download -r r.txt --dest out", r"^Saved \./out/alpha-1\.0"),
        case("download -r r.txt -c c.txt -d out", r"^Saved \./out/beta-1\.0"),
        case("download alpha --pre -d out", r"^Saved \./out/alpha-2\.1rc1"),
        case("download source -d out", r"^Saved \./out/source-1\.0\.tar\.gz$"),
        case("download source --only-binary :all: -d out", r"^ERROR: No matching distribution found for source$"),
        case("download -r hashed.txt -d out", r"^Saved "),
        case("download -r badhash.txt -d out", r"THESE PACKAGES DO NOT MATCH THE HASHES", purpose="the files of which the index gives other hashes aren't candidates: it says so before it downloads"),
        case("download win-only -d out", r"^ERROR: No matching distribution found for win-only$"),
        case("download win-only --platform win_amd64 --python-version 3.11 -d out", r"either --no-deps must be set, or --only-binary=:all:"),
        case("download win-only --platform win_amd64 --python-version 3.11 --only-binary=:all: -d out", r"^Saved \./out/win_only"),
        case("download win-only --platform win_amd64 --python-version 3.11 --no-deps -d out", r"^Saved "),
        case("download", r"^ERROR: You must give at least one requirement to download"),
        case("download ./localpkg -d out", r"^Successfully downloaded localpkg$"),
        case("download ./wheels/beta-1.0-py3-none-any.whl -d out", r"^Saved \./out/beta-1\.0"),
        case("download nowhere -d out", r"^ERROR: No matching distribution found for nowhere$"),
        case("download --no-index -f wheels alpha -d out", r"^Saved \./out/alpha-1\.1"),
        case("download --destination-directory out beta", r"^Saved \./out/beta-2\.0"),
        case("download -e ./localpkg", r"^no such option: -e$"),
        case("wheel beta -w out", r"^Saved \./out/beta-2\.0-py3-none-any\.whl$"),
        case("wheel source --no-deps --no-verify --progress-bar off --no-cache-dir -w out", r"^Successfully built source$"),
        case("wheel source --no-deps -w out", r"^Successfully built source$"),
        case("wheel ./localpkg --wheel-dir out", r"^Successfully built localpkg$"),
        case("wheel", r"^ERROR: You must give at least one requirement to wheel"),
    ]


def installing(case):
    return [
        case("install beta", ALREADY + r"beta in \S+ \(1\.0\)$"),
        case("install beta", INSTALLED + r"beta-2\.0$", state="bare"),
        case("install alpha", INSTALLED + r"alpha-2\.0 beta-2\.0$", state="bare"),
        case("install alpha==1.0", ALREADY + "alpha==1.0 in ", ALREADY + r"beta>=1 in \S+ \(from alpha==1\.0\) \(1\.0\)$"),
        case("install alpha --no-deps", INSTALLED + r"alpha-2\.0$", state="bare"),
        case("install -U beta", r"^\s+Found existing installation: beta 1\.0$", r"^\s+Uninstalling beta-1\.0:$", r"^\s+Successfully uninstalled beta-1\.0$", INSTALLED + r"beta-2\.0$"),
        case("install --upgrade alpha", INSTALLED + r"alpha-2\.0$"),
        case("install -U --upgrade-strategy eager alpha", INSTALLED + r"alpha-2\.0 beta-2\.0$"),
        case("install -U --upgrade-strategy only-if-needed alpha", INSTALLED + r"alpha-2\.0$"),
        case("install --pre -U alpha", INSTALLED + r"alpha-2\.1rc1$"),
        case("install 'alpha>=2.1rc1'", INSTALLED + r"alpha-2\.1rc1$"),
        case("install 'alpha<2' --force-reinstall", INSTALLED),
        case("install beta -I", INSTALLED + r"beta-2\.0$", purpose="the old version is removed; pip leaves both `.dist-info` folders behind"),
        case("install --dry-run delta", r"^Would install alpha-2\.0 delta-1\.0$"),
        case("install --dry-run beta", ALREADY + "beta"),
        case("install --dry-run --report - -q delta", how="keys"),
        case("install --dry-run --report - -q ./wheels/alpha-1.1-py3-none-any.whl", how="keys"),
        case("install -q tool delta", how="exact"),
        case("install 'extras[more]'", INSTALLED + r"beta-2\.0 extras-1\.0$", state="bare"),
        case("install 'extras[nope]'", r"^WARNING: extras 1\.0 does not provide the extra 'nope'$", INSTALLED + r"extras-1\.0$", state="bare"),
        case("install marked", INSTALLED + r"marked-1\.0$"),
        case("install 'beta; sys_platform==\"plan9\"'", r"^Ignoring beta: markers 'sys_platform == \"plan9\"' don't match your environment$"),
        case("install ./wheels/beta-2.0-py3-none-any.whl", INSTALLED + r"beta-2\.0$"),
        case("install ./localpkg", INSTALLED + r"localpkg-0\.1$"),
        case("install -e ./localpkg", INSTALLED + r"localpkg-0\.1$"),
        case("install source", INSTALLED + r"source-1\.0$"),
        case("install Mixed-Case_Name", ALREADY + "Mixed"),
        case("install tool==1.0", ALREADY + "tool==1.0"),
        case("install --no-index -f wheels alpha", INSTALLED + r"alpha-1\.1 beta-2\.0$", state="bare"),
        case("install --no-index -f wheels alpha", r"^Processing \./wheels/alpha-1\.1-py3-none-any\.whl$", r"^Processing \./wheels/beta-2\.0.* \(from alpha\)$", state="bare"),
        case("install --no-index -f wheels alpha", r"^Installing collected packages: beta, alpha$", state="bare"),
        case("install --no-index -f wheels ALPHA", INSTALLED + r"ALPHA-1\.1 beta-2\.0$", state="bare"),
        case("install gamma delta", r"^The conflict is caused by:$", r"depends on alpha<2$", r"depends on alpha>=2$", r"^ERROR: ResolutionImpossible"),
        case("install future", r"Package 'future' requires a different Python|No matching distribution found for future$"),
        case("install file:localpkg#egg=localpkg", INSTALLED + r"localpkg-0\.1$"),
        case("install beta==3.0", r"^WARNING: The candidate selected for download or install is a yanked version: 'beta'", INSTALLED + r"beta-3\.0$"),
        case("install --target out tool", INSTALLED + r"tool-1\.0$"),
        case("install --prefix out tool --ignore-installed", INSTALLED + r"tool-1\.0$"),
        case("install --root out tool --ignore-installed", INSTALLED + r"tool-1\.0$", how="code"),
        case("install --user beta", r"Can not perform a '--user' install", how="phrases"),
        case("install --user --target out beta", r"Can not combine '--user' and '--target'"),
        case("install --target out --prefix x beta", r"Can not combine '--target' and '--prefix'|Cannot set --home and --prefix together|prefix"),
        case("install --platform win_amd64 win-only", r"^ERROR: .*either --no-deps must be set", purpose="source distributions are no candidates for another platform: nobody has to say so"),
        case("install --platform win_amd64 --only-binary=:all: win-only", r"^ERROR: Can not use any platform or abi specific options unless installing via '--target'"),
        case("install --platform win_amd64 --python-version 3.11 --only-binary=:all: --target out win-only", INSTALLED + "win-only"),
        case("install gamma delta", r"^ERROR: Cannot install .*conflicting dependencies", r"^ERROR: ResolutionImpossible", state="bare"),
        case("install gamma", INSTALLED + r"gamma-1\.0$"),
        case("install delta gamma --no-deps", INSTALLED, state="bare"),
        case("install 'beta<1'", r"^ERROR: Could not find a version that satisfies the requirement beta<1 \(from versions: 1\.0, 2\.0\)$", r"^ERROR: No matching distribution found for beta<1$"),
    ]


def files(case):
    return [
        case("install -r r.txt", INSTALLED + r"alpha-1\.0 beta-2\.0$", state="bare"),
        case("install -r nested.txt", INSTALLED + r"alpha-1\.0 beta-1\.0 tool-1\.0$", state="bare"),
        case("install -r r.txt -c c.txt", INSTALLED + r"alpha-1\.0 beta-1\.0$", state="bare"),
        case("install -c c.txt alpha", INSTALLED + r"alpha-2\.0 beta-1\.0$", state="bare"),
        case("install -c c.txt", r"^ERROR: You must give at least one requirement to install"),
        case("install -r hashed.txt", INSTALLED + r"alpha-1\.0 beta-1\.0$", state="bare"),
        case("install --require-hashes -r hashed.txt", INSTALLED, state="bare"),
        case("install -r badhash.txt", r"THESE PACKAGES DO NOT MATCH THE HASHES", state="bare", purpose="the files of which the index gives other hashes aren't candidates: it says so before it downloads"),
        case("install -r unpinned.txt", r"all requirements must have their versions pinned with ==|^Successfully", state="bare", purpose="a hash without a pin is refused: which version is meant isn't said"),
        case("install -r nohash.txt", r"^ERROR: Hashes are required in --require-hashes mode, but they are missing", state="bare"),
        case("install --require-hashes beta", r"^ERROR: .*require-hashes mode", state="bare"),
        case("install -r loop.txt", r"recursively references itself"),
        case("install -r gone.txt", r"^ERROR: Could not open requirements file: \[Errno 2\] No such file or directory: 'gone\.txt'"),
        case("install -r badoption.txt", r"no such option: --bogus"),
        case("install -r badline.txt", r"^ERROR: Invalid requirement: 'alpha = 1'"),
        case("install -c cextra.txt beta", r"Constraints cannot have extras", state="bare"),
        case("install -r env.txt", INSTALLED + r"beta-1\.0$", state="bare"),
        case("install -r marker.txt", r"^Ignoring beta: markers"),
        case("install -r empty.txt", how="code"),
    ]


def refused(case):
    return [
        case("install", r"^ERROR: You must give at least one requirement to install \(see \"(pip|bnbpip) help install\"\)$"),
        case("install nowhere", r"^ERROR: Could not find a version that satisfies the requirement nowhere \(from versions: none\)$", r"^ERROR: No matching distribution found for nowhere$"),
        case("install alpha==99", r"^ERROR: Could not find a version that satisfies the requirement alpha==99 \(from versions: .*2\.0.*\)$", r"^ERROR: No matching distribution found for alpha==99$"),
        case("install future", r"^ERROR: No matching distribution found for future$"),
        case("install missing", r"^ERROR: No matching distribution found for nowhere-to-be-found"),
        case("install source --only-binary :all:", r"^ERROR: No matching distribution found for source$"),
        case("install win-only", r"^ERROR: No matching distribution found for win-only$"),
        case("install 'alpha=1'", r"^ERROR: Invalid requirement: 'alpha=1'"),
        case("install ./gone", r"^ERROR: Invalid requirement: '\./gone'|does not exist|neither"),
        case("install requirements.txt", r"literally named .requirements\.txt."),
        case("install ./wheels/gone-1.0-py3-none-any.whl", how="code"),
        case("install --no-index alpha", r"^ERROR: No matching distribution found for alpha$", state="bare"),
        case("install -e beta", r"beta"),
        case("install --upgrade-strategy maybe beta", r"option --upgrade-strategy: invalid choice: 'maybe'"),
        case("install --python-version x beta", r"invalid --python-version value: 'x'"),
    ]


def removing(case):
    gone = r"^\s+Successfully uninstalled beta-1\.0$"
    return [
        case("uninstall -y beta", r"^Found existing installation: beta 1\.0$", r"^Uninstalling beta-1\.0:$", gone),
        case("uninstall beta", r"^\s+Would remove:$", r"Proceed \(Y/n\)\?", r"Successfully uninstalled beta-1\.0$", answer="y\n"),
        case("uninstall beta", r"Proceed \(Y/n\)\?", answer="n\n"),
        case("uninstall -y beta tool", gone, r"Successfully uninstalled tool-1\.0$"),
        case("uninstall -y nope", r"^WARNING: Skipping nope as it is not installed\.$", how="exact"),
        case("uninstall -y nope beta", r"^WARNING: Skipping nope as it is not installed\.$", gone),
        case("uninstall -y -r r.txt", gone, r"Successfully uninstalled alpha-1\.0$"),
        case("uninstall -y gone.tar.gz", r"Invalid requirement: 'gone\.tar\.gz' ignored - the uninstall command expects named requirements\."),
        case("uninstall -y -r gone.txt", r"^ERROR: Could not open requirements file"),
        case("uninstall", r"^ERROR: You must give at least one requirement to uninstall \(see \"(pip|bnbpip) help uninstall\"\)$"),
        case("uninstall -y editpkg", r"Successfully uninstalled editpkg-0\.2$"),
        case("uninstall -y mixed_case-name", r"Successfully uninstalled Mixed_Case\.Name-1\.0$"),
        case("uninstall -y -q tool", how="exact"),
        case("uninstall --yes tool", r"Successfully uninstalled tool-1\.0$"),
        case("uninstall -y 'alpha==7'", r"Successfully uninstalled alpha-1\.0$"),
    ]
