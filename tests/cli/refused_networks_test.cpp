#include <gmock/gmock.h>

#include <algorithm>

#include "cli/network_fixture.h"

namespace ptq::cli {
namespace {

using ::testing::HasSubstr;

struct Refused {
  const char* name;
  std::string lines;
  const char* words;
};

std::ostream& operator<<(std::ostream& out, const Refused& shown) { return out << shown.name; }

class RefusedNetwork : public Networks, public ::testing::WithParamInterface<Refused> {
 protected:
  void expect_sentence(const std::string& words) {
    const support::ProgramResult result = run(on_model());
    EXPECT_EQ(result.exit_code, static_cast<int>(ExitCode::kModel)) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
};

TEST_P(RefusedNetwork, SaysWhyInOneSentence) {
  model(GetParam().lines);
  expect_sentence(GetParam().words);
}

std::string name_of_refused(const ::testing::TestParamInfo<Refused>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, RefusedNetwork,
    ::testing::Values(
        Refused{"MeanOfTheBatch", "  y = y - y.mean([0], True)\n" + kPool,
                "mean (mean): the images of a batch influence each other"},
        Refused{"AlmostNothingOfTheBatch", kPool + "  y = y + y.mean([0], True) * 1e-4\n",
                "mean_1 (mean): the images of a batch influence each other"},
        Refused{"ThresholdOfTheBatch", kPool + "  y = torch.where(y > y.mean(), y, y * 0.5)\n",
                "the images of a batch influence each other"},
        Refused{
            "BatchNormWithoutStatistics",
            "  y = torch.batch_norm(y, None, None, None, None, True, 0.1, 1e-5, False)\n" + kPool,
            "batch norm without running statistics uses those of the batch"},
        Refused{"Dropout", kPool + "  y = torch.dropout(y, 0.5, True)\n",
                "runs as in training: it drops at random (p 0.5)"},
        Refused{"Noise", kPool + "  y = y + torch.rand_like(y)\n", "draws random numbers"},
        Refused{"MaskedIndex", kPool + "  y = y + y[y > 0].mean()\n",
                "gives as many values as pixels say"},
        Refused{"WeightThatIsNoNumber",
                kPool + "  y = torch.linear(y, self.square / (self.square - self.square))\n",
                "weight of linear (aten::linear) holds values that are not finite"}),
    name_of_refused);

TEST_F(RefusedNetwork, NamesAnOperatorOfANewerLibTorch) {
  change_code(model(kPool), "torch.relu(", "torch.relu_of_tomorrow(");
  expect_sentence("it uses the operator aten::relu_of_tomorrow, which this LibTorch");
}

TEST_F(RefusedNetwork, NamesWhatOptimizeForInferenceWrites) {
  change_code(model(kPool), "torch.relu(", "torch.to_mkldnn(");
  expect_sentence("which torch.jit.optimize_for_inference writes");
}

}  // namespace
}  // namespace ptq::cli
