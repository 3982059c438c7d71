# One check a process: after a failed `import bitsandbytes` a second import in the same process
# finds half of it in `sys.modules` and passes.
import sys

sys.path[:] = [entry for entry in sys.path if entry]
import importlib.util

MARK = "<<bnbpip-check>>"


def end(word):
    print("\n" + MARK + word, flush=True)
    sys.exit(0)


def need(*names):
    for name in names:
        if importlib.util.find_spec(name) is None:
            end("skip:" + name + " is not installed")


def need_gpu():
    need("torch")
    import torch

    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        end("skip:this torch is built for the processor only")
    if torch.cuda.is_available():
        return torch
    try:
        torch.cuda.init()
    except Exception as error:
        text = str(error)
        known = ("no NVIDIA driver", "No CUDA GPUs", "no CUDA-capable device", "No HIP GPUs")
        if not any(part in text for part in known):
            raise
    end("skip:torch sees no GPU on this machine")


def check_import():
    need("bitsandbytes")
    import bitsandbytes


def check_matmul():
    need("bitsandbytes")
    from bitsandbytes.autograd._functions import MatMul8bitLt


def check_torch():
    torch = need_gpu()
    ones = torch.ones(8, 8, device="cuda")
    if float((ones @ ones).sum()) != 512.0:
        raise ArithmeticError("the GPU multiplied two matrices wrongly")


def check_layer():
    need("bitsandbytes")
    torch = need_gpu()
    import bitsandbytes

    layer = bitsandbytes.nn.Linear8bitLt(64, 64, has_fp16_weights=False).cuda()
    result = layer(torch.randn(4, 64, device="cuda", dtype=torch.float16))
    if tuple(result.shape) != (4, 64) or not bool(torch.isfinite(result).all()):
        raise ArithmeticError("the 8-bit layer gave a wrong result")


def check_unsloth():
    need("unsloth")
    need_gpu()
    import unsloth


{"import": check_import, "matmul": check_matmul, "torch": check_torch,
 "layer": check_layer, "unsloth": check_unsloth}[sys.argv[1]]()
end("pass")
