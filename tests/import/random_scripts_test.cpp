#include <cstdlib>

#include "import/imported.h"
#include "support/random_script.h"

namespace ptq::import {
namespace {

constexpr unsigned kUsualScripts = 100;

/// PTQ_RANDOM_SCRIPTS of the environment, which the full suite sets to 2000.
unsigned scripts() {
  const char* count = std::getenv("PTQ_RANDOM_SCRIPTS");
  return count == nullptr ? kUsualScripts : static_cast<unsigned>(std::stoul(count));
}

/// Of the largest value. Where values of size 1 cancel, float32 leaves some 1e-7 of each of them:
/// what is left is compared as if it were 1e-2.
double distance(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(b).abs().max().item<double>() / std::max(b.abs().max().item<double>(), 1e-2);
}

/// Values at batch sizes that were not walked, by the interpreter and the plan.
void compare(const std::string& path, const ir::Graph& graph) {
  const auto interpreter = runtime::make_interpreter(graph, {runtime::Numerics::kFloat, {}, 1});
  const auto plan = runtime::make_plan(graph, {runtime::Numerics::kFloat, {}, 1});
  for (const int64_t batch : {1, 4}) {
    const at::Tensor images = at::randn({batch, 3, kImageSize, kImageSize});
    const at::Tensor expected = support::reference_forward(path, images.clone());
    ASSERT_EQ(interpreter->run(images).sizes(), expected.sizes());
    EXPECT_LE(distance(interpreter->run(images), expected), 1e-5);
    EXPECT_LE(distance(plan->run(images), expected), 1e-4);
  }
}

TEST(RandomScripts, RunAsPyTorchRunsThem) {
  const support::TemporaryFolder folder;
  const std::string path = folder.file("model.pt");
  for (unsigned seed = 1; seed <= scripts() && !::testing::Test::HasFailure(); ++seed) {
    const auto script = support::random_script(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + script->code);
    script->model.save(path);
    try {
      const ir::Graph graph = import_torchscript(path, {kImageSize});
      at::manual_seed(seed);
      compare(path, graph);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

}  // namespace
}  // namespace ptq::import
