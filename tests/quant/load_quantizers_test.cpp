#include "quant/load_quantizers.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "ptq/base/error.h"
#include "quant/quantizer_dump.h"
#include "support/temporary_folder.h"

namespace ptq::quant {
namespace {

using nlohmann::json;

/// images -> asymmetric quantizer -> linear of two outputs with a scale each, and a bias -> add of
/// the output and of another linear layer's, whose quantizers share a scale.
struct TwoLayers : QuantizedNetwork {
  TwoLayers() {
    graph.input = graph.add_value("images", {{1, true}, {4, false}});
    Quantizer images;
    images.format = IntegerFormat{8, false, false};
    images.symmetry = Symmetry::kAsymmetric;
    const ir::ValueId in = quantized(graph.input, 4, table.add(images));
    const ir::ValueId left = linear("left", in), right = linear("right", in);
    Quantizer sum;
    const ir::QuantizerId first = table.add(sum);
    const ir::ValueId a = quantized(left, 2, first);
    const ir::ValueId b = quantized(right, 2, table.add_sharing_scale(sum, first));
    graph.output = insert("add", ir::Add{}, {a, b}, 2);
  }

  /// The same with scales and zero points.
  TwoLayers& calibrated() {
    for (Quantizer& quantizer : table.quantizers) {
      at::Tensor& scale = table.scales.at(static_cast<size_t>(quantizer.scale)).value;
      if (quantizer.kind == QuantizerKind::kBias) continue;
      scale = quantizer.granularity == Granularity::kPerChannel ? at::tensor({0.1F, 0.3F})
                                                                : at::scalar_tensor(0.7F);
      if (quantizer.symmetry == Symmetry::kAsymmetric) {
        quantizer.zero_point = at::scalar_tensor(117.0F);
      }
    }
    return *this;
  }

  ir::ValueId insert(const std::string& name, ir::Op op, std::vector<ir::ValueId> from,
                     int64_t width) {
    ir::Node node{name, "", std::move(op), std::move(from), {}};
    return graph.insert(graph.nodes.end(), std::move(node), {{1, true}, {width, false}}).output();
  }
  ir::ValueId quantized(ir::ValueId from, int64_t width, ir::QuantizerId id) {
    return insert("quantizer" + std::to_string(id), ir::FakeQuantize{id}, {from}, width);
  }
  ir::ValueId linear(const std::string& name, ir::ValueId from) {
    Quantizer weights, biases;
    weights.kind = QuantizerKind::kWeight;
    weights.granularity = Granularity::kPerChannel;
    biases.kind = QuantizerKind::kBias;
    biases.format = IntegerFormat{32, true, false};
    ir::Linear layer;
    layer.weight = {name + ".weight", at::full({2, 4}, 0.5)};
    layer.bias = ir::Parameter{name + ".bias", at::full({2}, 0.25)};
    layer.weight_quantizer = table.add(weights);
    layer.bias_quantizer = table.add(biases);
    return insert(name, std::move(layer), {from}, 2);
  }

  json dump() const { return quantizer_dump(*this); }
};

/// Through a file.
int64_t load(const json& dump, TwoLayers& network) {
  const support::TemporaryFolder folder;
  return load_quantizers(folder.write("q.json", dump.dump()), network);
}

TEST(LoadQuantizers, BringsBackWhatWasDumped) {
  TwoLayers calibrated;
  const json dump = calibrated.calibrated().dump();
  TwoLayers loaded;
  EXPECT_EQ(load(dump, loaded), 7);
  EXPECT_EQ(loaded.dump(), dump);
  for (size_t i = 0; i < loaded.table.scales.size(); ++i) {
    const at::Tensor &was = calibrated.table.scales[i].value, &is = loaded.table.scales[i].value;
    ASSERT_EQ(was.defined(), is.defined()) << i;
    if (was.defined()) {
      EXPECT_TRUE(at::equal(was, is)) << i;
    }
  }
}

TEST(LoadQuantizers, LeavesACorrectedBiasForLater) {
  const json dump = TwoLayers().calibrated().dump();
  TwoLayers without;
  for (ir::Node& node : without.graph.nodes) {
    if (node.name == "left") ir::weighted(node.op)->bias.reset();
  }
  load(dump, without);
  EXPECT_EQ(without.dump().size(), dump.size() - 1);
}

/// What is said of the dump after a change to the entry of this kind and name.
std::string refusal(const std::string& kind, const std::string& name,
                    const std::function<void(json& dump, size_t at)>& change) {
  json dump = TwoLayers().calibrated().dump();
  for (size_t i = 0; i < dump.size(); ++i) {
    if (dump[i]["kind"] != kind || dump[i]["name"] != name) continue;
    change(dump, i);
    break;
  }
  TwoLayers network;
  try {
    load(dump, network);
  } catch (const QuantizationError& error) {
    const std::string sentence = error.what();
    return sentence.substr(sentence.find("q.json"));
  }
  return "accepted";
}

std::string refusal_of(const std::string& kind, const std::string& name, const char* key,
                       const json& value) {
  return refusal(kind, name, [&](json& dump, size_t i) { dump[i][key] = value; });
}

TEST(LoadQuantizers, NamesTheQuantizerThatIsTooManyOrMissing) {
  EXPECT_EQ(refusal("weight", "left", [](json& dump, size_t i) { dump.erase(i); }),
            "q.json does not fit the network: it lacks the weight quantizer of left");
  EXPECT_EQ(refusal("bias", "right", [](json& dump, size_t i) { dump.erase(i); }),
            "q.json does not fit the network: it lacks the bias quantizer of right");
  EXPECT_EQ(refusal("activation", "input", [](json& dump, size_t i) { dump.push_back(dump[i]); }),
            "q.json does not fit the network, which lacks the activation quantizer of input");
  EXPECT_EQ(refusal_of("weight", "left", "name", "middle"),
            "q.json does not fit the network: it lacks the weight quantizer of left");
}

TEST(LoadQuantizers, RefusesAnotherFormat) {
  const std::string left = "q.json does not fit the network: the weight quantizer of left has ";
  EXPECT_EQ(refusal_of("weight", "left", "bit_width", 4),
            left + "the bit_width 4, and the network's has 8");
  EXPECT_EQ(refusal_of("weight", "left", "signed", false),
            left + "the signed false, and the network's has true");
  EXPECT_EQ(refusal_of("weight", "left", "narrow_range", true),
            left + "the narrow_range true, and the network's has false");
  EXPECT_EQ(refusal_of("weight", "left", "granularity", "per_tensor"),
            left + "the granularity \"per_tensor\", and the network's has \"per_channel\"");
  EXPECT_EQ(refusal("weight", "left", [](json& dump, size_t i) { dump[i].erase("signed"); }),
            left + "no signed");
}

TEST(LoadQuantizers, RefusesAnotherNumberOfScales) {
  const std::string left = "q.json does not fit the network: the weight quantizer of left has ";
  const std::string number = "another number of values in scale than the network's, ";
  EXPECT_EQ(refusal_of("weight", "left", "scale", {0.1, 0.2, 0.3}), left + number + "3 and 2");
  EXPECT_EQ(refusal_of("weight", "left", "scale", 0.1), left + number + "1 and 2");
  EXPECT_EQ(refusal_of("activation", "input", "scale", json::array({0.1})),
            "q.json does not fit the network: the activation quantizer of input has " + number +
                "1 and 1");
}

TEST(LoadQuantizers, RefusesNumbersThatAreNoScales) {
  const std::string input =
      "q.json does not fit the network: the activation quantizer of input has ";
  EXPECT_EQ(refusal_of("activation", "input", "scale", nullptr),
            input + "a scale that is no number");
  EXPECT_EQ(refusal_of("activation", "input", "scale", "nan"), input + "a scale that is no number");
  EXPECT_EQ(refusal_of("activation", "input", "scale", 1e300), input + "a scale that is no number");
  EXPECT_EQ(refusal_of("activation", "input", "scale", -0.5),
            input + "the scale -0.5, which is not above 0");
  EXPECT_EQ(refusal_of("activation", "input", "scale", 0),
            input + "the scale 0, which is not above 0");
  EXPECT_EQ(refusal_of("activation", "input", "zero_point", 0.5),
            input + "the zero_point 0.5, which is not a whole number");
  EXPECT_EQ(refusal_of("activation", "input", "zero_point", 300),
            input + "the zero_point 300, which is not one of its codes");
  EXPECT_EQ(refusal_of("weight", "left", "zero_point", {0, 3}),
            "q.json does not fit the network: the weight quantizer of left has the zero_point 3, "
            "which is not 0, as the network's is symmetric");
}

TEST(LoadQuantizers, RefusesTwoScalesWhereOneIsShared) {
  EXPECT_EQ(refusal_of("activation", "left", "scale", 0.25),
            "q.json does not fit the network: the activation quantizer of right has another scale "
            "than a quantizer that shares it");
}

TEST(CheckQuantizerDump, RefusesOtherFiles) {
  const support::TemporaryFolder folder;
  const auto reason = [&](const std::string& content) -> std::string {
    const std::string path = folder.write("q.json", content);
    try {
      check_quantizer_dump(path);
    } catch (const DataError& error) {
      return std::string(error.what()).substr(path.size());
    }
    return "accepted";
  };
  EXPECT_EQ(reason("[{\"kind\": \"weight\""), " is no JSON");
  EXPECT_EQ(reason("[{\"kind\": \"weight\", \"name\": \"a\", \"scale\": nan}]"), " is no JSON");
  EXPECT_EQ(reason("{}"), " is no list of quantizers");
  EXPECT_EQ(reason("[]"), " is no list of quantizers");
  EXPECT_EQ(reason("[3]"), " is no list of quantizers");
  std::string many = "[";
  for (int i = 0; i < 500'000; ++i) many += "{\"kind\": \"weight\", \"name\": \"a\"},";
  EXPECT_EQ(reason(many + "0]"), " is no list of quantizers");
  const std::string entry = "[{\"kind\": \"weight\", \"name\": \"a\", \"bits\": ";
  EXPECT_EQ(reason(entry + "[[3]]}]"), " is no list of quantizers");
  EXPECT_EQ(reason(entry + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}]"),
            " is no list of quantizers");
  EXPECT_EQ(reason("[{\"kind\": \"weight\", \"name\": 3}]"), " is no list of quantizers");
  EXPECT_THROW(check_quantizer_dump(folder.path() + "/none.json"), DataError);
  EXPECT_THROW(check_quantizer_dump(folder.path()), DataError);
}

}  // namespace
}  // namespace ptq::quant
