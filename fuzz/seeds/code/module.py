class Tiny(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  stem : __torch__.torch.nn.modules.container.Sequential
  block : __torch__.Block
  head : __torch__.torch.nn.modules.linear.Linear
  def forward(self: __torch__.Tiny,
    x: Tensor) -> Tensor:
    head = self.head
    block = self.block
    stem = self.stem
    _0 = (block).forward((stem).forward(x, ), )
    _1 = (head).forward(torch.mean(_0, [2, 3]), )
    return _1
class Block(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  depthwise : __torch__.torch.nn.modules.conv.___torch_mangle_0.Conv2d
  norm : __torch__.torch.nn.modules.batchnorm.BatchNorm2d
  activation : __torch__.torch.nn.modules.activation.ReLU6
  pointwise : __torch__.torch.nn.modules.conv.___torch_mangle_1.Conv2d
  def forward(self: __torch__.Block,
    x: Tensor) -> Tensor:
    pointwise = self.pointwise
    activation = self.activation
    norm = self.norm
    depthwise = self.depthwise
    _2 = (norm).forward((depthwise).forward(x, ), )
    _3 = (pointwise).forward((activation).forward(_2, ), )
    return torch.add(x, _3)
