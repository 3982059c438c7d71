//! `doctor --run`.

use bnbpip_testing::{TestEnvironment, WheelBuilder};
use insta::assert_snapshot;

use super::environment;

/// A torch whose GPU is made of Python.
const TORCH: &str = "
class version:
    cuda = '12.4'
    hip = None
class cuda:
    is_available = staticmethod(lambda: True)
class Tensor:
    shape = (4, 64)
    def __matmul__(self, other): return self
    def sum(self): return 512.0
    def all(self): return True
float16 = None
def ones(*size, device): return Tensor()
def randn(*size, device, dtype): return Tensor()
def isfinite(tensor): return tensor
";

const BITSANDBYTES: &str = "
import torch, triton.ops
class nn:
    class Linear8bitLt:
        def __init__(self, *size, has_fp16_weights): pass
        def cuda(self): return self
        def __call__(self, x): return x
";

fn stack(triton: WheelBuilder, unsloth: &str) -> TestEnvironment {
    let server = super::index();
    environment(
        &server,
        &[
            triton,
            WheelBuilder::new("torch", "2.15.0").file("torch/__init__.py", TORCH),
            WheelBuilder::new("bitsandbytes", "0.50.0")
                .file("bitsandbytes/__init__.py", BITSANDBYTES)
                .file("bitsandbytes/autograd/__init__.py", "")
                .file("bitsandbytes/autograd/_functions.py", "MatMul8bitLt = 1\n"),
            WheelBuilder::new("unsloth", "2026.1").file("unsloth/__init__.py", unsloth),
        ],
    )
}

/// What is printed from the first check on.
fn checks(environment: &TestEnvironment, arguments: &[&str]) -> (i32, String) {
    let run = environment.run([&["doctor", "--run"], arguments].concat());
    let lines = run.stdout.lines();
    let lines = lines.skip_while(|line| {
        !["[pass]", "[fail]", "[skip]"]
            .iter()
            .any(|mark| line.starts_with(mark))
    });
    (run.code, lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn all_five_pass_where_all_is_well() {
    let triton = WheelBuilder::new("triton", "3.9.0").file("triton/ops.py", "");
    let environment = stack(triton, "print('hello')\n");
    let before = environment.fingerprint();
    let (code, text) = checks(&environment, &[]);
    assert_snapshot!(text);
    assert_eq!(code, 0);
    assert_eq!(environment.fingerprint(), before, "nothing is written");
}

#[test]
fn failures_are_told_with_their_cause() {
    let triton = WheelBuilder::new("triton", "3.9.0");
    let environment = stack(triton, "import os; os._exit(3)\n");
    let (code, text) = checks(&environment, &[]);
    // Windows says `exit code`.
    assert_snapshot!(text.replace("exit code: 3", "exit status: 3"));
    assert_eq!(code, 5);
    let run = environment.run(["doctor", "--run", "--json"]);
    let (_, checks) = run.stdout.split_once("\"checks\"").unwrap();
    let (checks, _) = checks.split_once("\"command\"").unwrap();
    assert_snapshot!(checks.replace("exit code: 3", "exit status: 3"));
}

#[test]
fn what_cant_be_tried_is_skipped() {
    let server = super::index();
    let torch = TORCH.replace("'12.4'", "None");
    let environment = environment(
        &server,
        &[WheelBuilder::new("torch", "2.6.0").file("torch/__init__.py", torch)],
    );
    let (code, text) = checks(&environment, &[]);
    assert_snapshot!(text);
    assert_eq!(code, 0);
}

#[test]
fn a_check_that_hangs_is_ended() {
    let triton = WheelBuilder::new("triton", "3.9.0").file("triton/ops.py", "");
    let environment = stack(triton, "import time; time.sleep(60)\n");
    let (code, text) = checks(&environment, &["--run-timeout", "2"]);
    assert!(
        text.contains("[fail] import unsloth\n       It took longer than 2 s\n"),
        "{text}"
    );
    assert_eq!(code, 5);
    assert_eq!(environment.run(["doctor", "--run-timeout", "2"]).code, 2);
}
