#include "import/guard/code.h"

#include <gtest/gtest.h>

#include "ptq/base/error.h"

namespace ptq::import {
namespace {

std::string code_refusal(const std::string& code, bool any_operator = false) {
  try {
    check_code(code, "code/m.py", any_operator);
  } catch (const ImportError& error) {
    return error.what();
  }
  return "";
}

std::string in_forward(const std::string& line) {
  return "class M(Module):\n  w : Tensor\n  def forward(self: __torch__.M, x: Tensor) -> Tensor:\n"
         "    " +
         line + "\n    return x\n";
}

TEST(Code, AcceptsWhatNetworksUse) {
  for (const char* line :
       {"y = torch.conv2d(x, self.w, None, [1, 1], [0, 0], [1, 1])", "y = (x).relu_()",
        "y = ops.prim.RaiseException(\"torch.save(x, 'y')\")", "# torch.save(x, 'y')",
        "y = getattr(self.features, \"0\")", "y = __torch__.torch.nn.functional.save(x)"}) {
    EXPECT_EQ(code_refusal(in_forward(line)), "") << line;
  }
}

TEST(Code, RefusesOperatorsThatTouchTheMachineHoweverTheyAreNamed) {
  for (const char* line :
       {"torch.save(x, \"f\")", "y = torch.from_file(\"f\", True, 4)", "y = torch . save(x, \"f\")",
        "y = torch.add(x,\n      torch.\n      from_file(\"f\"))", "y = \"f\".from_file(True, 4)",
        "ops.aten.save(x, \"f\")", "f = torch.save", "f = torch", "f = (ops)",
        "y = getattr(torch, \"save\")", "y = getattr(torch, \"sa\" \"ve\")",
        "y = getattr(torch, \"\\x73ave\")", "g = getattr", "y = ops.c10d.send([x], None, 0, 0)",
        "y = x.set_(x)", "y = '''\n'''.from_file(True)", "y = \"\\\"\".from_file(True)"}) {
    EXPECT_NE(code_refusal(in_forward(line)), "") << line;
  }
}

TEST(Code, RefusesThemWhereverTheyStand) {
  EXPECT_NE(code_refusal("def f(x: int=torch.save(1, \"f\")) -> int:\n  return x\n"), "");
  EXPECT_NE(
      code_refusal("class M(Module):\n  def __setstate__(self: __torch__.M, s: int) -> None:\n"
                   "    torch.save(s, \"f\")\n"),
      "");
}

TEST(Code, LetsAModuleHaveAttributesOfSuchNames) {
  const std::string attribute =
      "class M(Module):\n  save : int\n  def forward(self: __torch__.M, x: Tensor) -> Tensor:\n"
      "    return torch.add(x, self.save)\n";
  EXPECT_EQ(code_refusal(attribute), "");
  const std::string replaced =
      "class M(Module):\n  save : int\n  def forward(self: __torch__.M, x: Tensor) -> Tensor:\n"
      "    self = x\n    f = self.save\n    f(\"f\")\n";
  EXPECT_NE(code_refusal(replaced), "");
}

TEST(Code, AllowsAnyOperatorOfATrustedFile) {
  EXPECT_EQ(code_refusal(in_forward("torch.save(x, \"f\")"), true), "");
}

TEST(Code, RefusesDepth) {
  const auto many = [](const std::string& word, size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += word;
    return text;
  };
  for (const std::string& line :
       {many("(", 300) + "x" + many(")", 300), "y = " + many("not ", 1000) + "x",
        "y = x" + many(" + x", 1000), "y = x" + many(".T", 1000), "y = " + many("-", 1000) + "1",
        "y = x" + many("[0]", 1000)}) {
    EXPECT_NE(code_refusal(in_forward(line), true), "") << line.substr(0, 20);
  }
  std::string blocks;
  for (size_t i = 0; i < 300; ++i) blocks += std::string(i, ' ') + "if True:\n";
  EXPECT_NE(code_refusal(blocks, true), "");
  EXPECT_EQ(code_refusal(in_forward("y = [" + many("self.w, ", 5000) + "]"), true), "")
      << "long is not deep";
}

}  // namespace
}  // namespace ptq::import
