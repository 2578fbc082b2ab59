#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "cli/network_fixture.h"
#include "ptq/data/image_set.h"
#include "support/run_graph.h"

namespace ptq::cli {
namespace {

using ::testing::HasSubstr;

const std::string kAttend = "  y = torch.matmul(torch.softmax(a, -1), t).mean([1])\n";
const std::string kScores = "  a = torch.matmul(t, torch.transpose(t, 1, 2)) * 0.25\n";

/// Four channels of y are a thousandth of the others.
const std::string kSmallChannels =
    "  y = torch.relu(y * torch.cat([torch.full([4, 1, 1], 1e-3), torch.ones([12, 1, 1])]))\n";
const std::string kMix =
    "  y = torch.relu(torch.conv2d(y, self.square.reshape([16, 16, 1, 1])))\n"
    "  y = y.mean([2, 3])\n";

class QuantizedNetworks : public Networks {
 protected:
  at::Tensor validation_images() const {
    data::LoaderOptions options;
    options.recipe.resize = options.recipe.crop = 32;
    data::ImageFolder folder = data::open_image_folder(path("validation"));
    std::vector<int64_t> all(folder.items.size());
    std::iota(all.begin(), all.end(), 0);
    const data::ImageSet images(std::move(folder), all, options);
    return data::Batches(images.in_batches_of(static_cast<int64_t>(all.size())), at::kCPU)
        .next()
        ->contiguous();
  }

  static double sqnr(const std::vector<float>& exact, const std::vector<float>& noisy) {
    double signal = 0, noise = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      signal += std::pow(exact[i], 2);
      noise += std::pow(exact[i] - noisy[i], 2);
    }
    return 10 * std::log10(signal / noise);
  }

  /// Runs the model of `lines`; its float logits are PyTorch's. Returns the quantized SQNR in dB.
  double run_network(const std::string& lines, const Arguments& more = {}) {
    const std::string file = model(lines);
    Arguments all = on_model({"--dump-float-logits", path("float.npy"), "--dump-logits",
                              path("quantized.npy"), "--report", path("report.json")});
    all.insert(all.end(), more.begin(), more.end());
    result_ = run(all);
    EXPECT_EQ(result_.exit_code, 0) << result_.err;
    if (result_.exit_code != 0) return -kInfinity;
    const at::Tensor expected = support::reference_forward(file, validation_images());
    const std::vector<float> logits = values_of(path("float.npy"));
    const at::Tensor found = at::tensor(logits).reshape(expected.sizes());
    EXPECT_LT(ptq::testing::relative_difference(found, expected), 1e-5);
    const double decibels = sqnr(logits, values_of(path("quantized.npy")));
    EXPECT_LT(decibels, 100) << "nothing is quantized";
    return decibels;
  }

  /// The model, whose code was changed since run_network, computes the same in float.
  void expect_the_same_logits() const {
    const std::vector<float> expected = values_of(path("float.npy"));
    const support::ProgramResult result =
        run(on_model({"--dump-float-logits", path("changed.npy")}));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(values_of(path("changed.npy")), expected);
  }

  support::ProgramResult result_;
};

struct Accepted {
  const char* name;
  std::string lines;
  /// Decibels that the quantized logits have at least.
  double sqnr;
};

std::ostream& operator<<(std::ostream& out, const Accepted& shown) { return out << shown.name; }

class AcceptedNetwork : public QuantizedNetworks, public ::testing::WithParamInterface<Accepted> {};

TEST_P(AcceptedNetwork, GivesPyTorchsLogitsAndIsQuantized) {
  EXPECT_GT(run_network(GetParam().lines), GetParam().sqnr);
}

std::string name_of(const ::testing::TestParamInfo<Accepted>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Kinds, AcceptedNetwork,
    ::testing::Values(
        Accepted{"AsStrided",
                 "  y = torch.as_strided(y, [y.size(0), 16, 4, 8], [1024, 64, 16, 1]).mean([2, "
                 "3])\n",
                 20},
        Accepted{"MaskOfInfinities", kScores + "  a = a + self.minus_infinity\n" + kAttend, 20},
        Accepted{"MaskOfLowestFloats", kScores + "  a = a + self.lowest\n" + kAttend, 20},
        Accepted{"MaskOfAMinusTenThousand",
                 kScores + "  a = a + self.triangle * -10000.0\n" + kAttend, 20},
        Accepted{"MaskThatIsFilled",
                 kScores + "  a = torch.masked_fill(a, self.triangle > 0, -1e9)\n" + kAttend, 20},
        Accepted{"LearntQuery",
                 "  q = self.query.expand([t.size(0), -1, -1])\n"
                 "  a = torch.matmul(q, torch.transpose(t, 1, 2)) * 0.25\n" +
                     kAttend,
                 20},
        Accepted{"DivisionByANorm",
                 kPool + "  y = y / torch.clamp_min(y.norm(2, [1], True), 1e-6)\n", 20},
        Accepted{"DivisionByAMeanOfSquares",
                 "  y = y * torch.rsqrt(torch.mean(y * y, [1], True) + 1e-6)\n" + kPool, 20},
        Accepted{"DivisionByTheOwnMeanOfSmallChannels",
                 kSmallChannels + "  y = y / (y.mean([2, 3], True) + 1e-6)\n" + kMix, 15},
        Accepted{"DivisionByTheOwnDeviationOfSmallChannels",
                 kSmallChannels +
                     "  d = y - y.mean([2, 3], True)\n"
                     "  y = d / torch.sqrt((d * d).mean([2, 3], True) + 1e-9)\n" +
                     kMix,
                 15},
        Accepted{"DivisionOfAnotherByASmallMean",
                 kSmallChannels +
                     "  z = torch.conv2d(y, self.square.reshape([16, 16, 1, 1]))\n"
                     "  y = z / (y.mean([2, 3], True) + 1e-6) * 1e-3\n" +
                     kMix,
                 15},
        Accepted{"AttentionByHand",
                 kScores + "  a = torch.exp(a - a.amax([-1], True))\n"
                           "  a = a / a.sum([-1], True)\n  y = torch.matmul(a, t).mean([1])\n",
                 15},
        Accepted{"LinearAttention",
                 "  k = torch.relu(torch.linear(t, self.square))\n"
                 "  s = torch.matmul(torch.transpose(k, 1, 2), torch.pad(t, [0, 1], \"constant\", "
                 "1.0))\n  s = torch.matmul(k, s)\n"
                 "  y = (s[:, :, :-1] / (s[:, :, -1:] + 1e-15)).mean([1])\n",
                 15},
        Accepted{"NumbersThatAreTakenOff", "  y = torch.relu(y - 1.0) - 0.5\n" + kPool, 20},
        Accepted{"StandardizedWeight",
                 "  w = torch.batch_norm(self.square.reshape([1, 16, -1]), None, None, None, None, "
                 "True, 0.0, 1e-6, False).reshape([16, 16, 1, 1])\n"
                 "  y = torch.relu(torch.conv2d(y, w))\n" +
                     kPool,
                 20},
        Accepted{"WritesIntoSlices",
                 "  z = torch.zeros_like(y)\n  z[:, :8, 1:] = y[:, :8, :-1]\n"
                 "  z[:, 8:, :-1] = y[:, 8:, 1:]\n  y = z\n" +
                     kPool,
                 20},
        Accepted{"RotationByAnAngle",
                 "  a = torch.linear(y.mean([2, 3]), self.square)[:, :1] * 0.3 + 300.0\n"
                 "  c = torch.cos(a)\n  s = torch.sin(a)\n  z = torch.zeros_like(a)\n"
                 "  g = torch.stack([c, s * -1.0, z, s, c, z], -1).reshape([-1, 2, 3])\n"
                 "  g = torch.affine_grid_generator(g, [y.size(0), 16, 8, 8], False)\n"
                 "  y = torch.grid_sampler(y, g, 0, 0, False)[:, :, 1::3, 2::3].mean([2, 3])\n",
                 20},
        Accepted{"BilinearSamplingByHand",
                 "  p = torch.linear(y.mean([2, 3]), self.square).clamp(0, 6.9)\n"
                 "  f = torch.floor(p)\n  w = (p - f).unsqueeze(1)\n"
                 "  i = (f * 8 + f.flip([1])).long().unsqueeze(1).expand([-1, 16, -1])\n"
                 "  z = y.flatten(2)\n"
                 "  y = torch.gather(z, 2, i) * (1 - w) + torch.gather(z, 2, i + 8) * w\n"
                 "  y = y.mean([2])\n",
                 20},
        Accepted{"DoubleConstants", kPool + "  y = (y * self.scales).float()\n", 20},
        Accepted{"SumWithAWeight",
                 "  y = torch.einsum(\"bchw,cd->bdhw\", [y, self.square])\n" + kPool, 20}),
    name_of);

TEST_F(QuantizedNetworks, ChoosesTokensAndReconstructsBlocks) {
  const std::string lines =
      "  s = torch.linear(t, self.square)[:, :, 0]\n  i = torch.topk(s, 4, 1)[1]\n"
      "  t = torch.gather(t, 1, i.unsqueeze(-1).expand([-1, -1, 16]))\n"
      "  y = torch.relu(torch.linear(t, self.square)).mean([1])\n";
  EXPECT_GT(run_network(lines, {"--learned-round", "linear_round", "--learned-round-mode",
                                "blockwise", "--learned-round-iters", "2"}),
            8);
}

TEST_F(QuantizedNetworks, FitsBiasesThatNeedMoreThanTheirBits) {
  const std::string lines =
      "  m = torch.cat([torch.full([4, 1], 1e-8), torch.ones([12, 1])]).reshape([16, 1, 1, 1])\n"
      "  y = torch.relu(torch.conv2d(y, self.square.reshape([16, 16, 1, 1]) * m, self.stem_b))\n";
  EXPECT_GT(run_network(lines + kPool, {"--weight-quant-granularity", "per_channel"}), 20);
  EXPECT_THAT(result_.err, HasSubstr("4 of 16 biases do not fit 32 bits"));
}

/// A trace made on a GPU has its device in the code.
TEST_F(QuantizedNetworks, RunConstantsOfCudaOnTheProcessor) {
  run_network(
      "  y = y + torch.arange(8, dtype=None, layout=None, device=torch.device(\"cpu\"), "
      "pin_memory=False) * 0.01\n" +
      kPool);
  change_code(path("model.pt"), "torch.device(\"cpu\")", "torch.device(\"cuda:0\")");
  expect_the_same_logits();
}

/// torch.jit.fork and torch.jit.wait as they are saved. Source text cannot say `fork`.
TEST_F(QuantizedNetworks, RunForkedBranches) {
  run_network("  y = y + torch.conv2d(torch.relu(x), self.stem_w, self.stem_b, [4, 4])\n" + kPool);
  change_code(path("model.pt"), "torch.relu(x)", "torch.wait(f)");
  const std::string signature = "x: Tensor) -> Tensor:\n";
  change_code(path("model.pt"), signature,
              signature +
                  "    def __forked_function():\n"
                  "      return torch.relu(x)\n"
                  "    f = fork(__forked_function)\n");
  expect_the_same_logits();
}

TEST_F(QuantizedNetworks, ReportWeightsThatStayInFloat) {
  run_network(kPool + "  y = torch.einsum(\"bi,bj,kij->bk\", [y, y, self.cube])\n");
  EXPECT_THAT(result_.err, HasSubstr("1 of 3 weights stay in float"));
  const auto report = nlohmann::json::parse(support::content_of(path("report.json")));
  const auto& weights = report.at("float_weights");
  EXPECT_EQ(weights.at("count"), 1);
  EXPECT_EQ(weights.at("of"), 3);
  EXPECT_NEAR(weights.at("share").get<double>(), 4096.0 / (4096 + 768 + 160), 1e-9);
  EXPECT_EQ(weights.at("places"), nlohmann::json{"einsum (aten::einsum)"});
}

TEST_F(QuantizedNetworks, ReportThatNoWeightStaysInFloat) {
  run_network(kPool);
  const auto report = nlohmann::json::parse(support::content_of(path("report.json")));
  EXPECT_EQ(report.at("float_weights").at("count"), 0);
  EXPECT_EQ(report.at("float_weights").at("of"), 2);
}

}  // namespace
}  // namespace ptq::cli
