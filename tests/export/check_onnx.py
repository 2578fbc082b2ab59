#!/usr/bin/env python3
"""Has ONNX's own Python package check files: check_onnx.py FILE.onnx...

Prints each file that does not pass and why.
"""

import sys

try:
    import onnx
except ImportError:
    sys.exit(77)


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(path, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True,
                                                 data_prop=True)
    known = {value.name for value in inferred.graph.value_info}
    known.update(value.name for value in inferred.graph.output)
    for node in inferred.graph.node:
        if not set(node.output) <= known:
            raise ValueError(f"shape inference finds no type for {node.name}")


def main():
    failed = False
    for path in sys.argv[1:]:
        try:
            check(path)
        except Exception as error:  # whatever the package throws is the result
            failed = True
            print(f"{path}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
