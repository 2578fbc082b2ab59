#!/usr/bin/env python3
"""Runs FOLDER/network.pt, an exported network, in Python as a user would, and compares its logits
with those of FOLDER/logits.npy. Knows nothing of the project. Ends with 77 where there is no
LibTorch for Python.

    run_in_python.py FOLDER CHANNELS HEIGHT WIDTH
"""

import pathlib
import sys

try:
    import numpy
    import torch
except ImportError:
    sys.exit(77)

folder = pathlib.Path(sys.argv[1])
image = [int(extent) for extent in sys.argv[2:]]
images = torch.from_numpy(numpy.load(folder / "images.npy")).reshape(-1, *image)
logits = torch.from_numpy(numpy.load(folder / "logits.npy"))

module = torch.jit.load(str(folder / "network.pt")).eval()
weights = [name for name, tensor in module.state_dict().items() if tensor.dtype == torch.int8]
assert weights == ["features.0.weight"], weights
# Freezing computes the float weights once. Other batch sizes have other kernels for convolutions, and
# after the first call with one LibTorch runs what it has fused, if it can fuse.
for runner in (module, torch.jit.freeze(module)):
    for batch in (1, 2, len(images), len(images), len(images), 2):
        with torch.no_grad():
            answer = runner(images[:batch])
        assert torch.allclose(answer, logits[:batch], rtol=1e-5, atol=1e-5), f"batch {batch}"
