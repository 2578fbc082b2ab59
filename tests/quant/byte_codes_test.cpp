// Codes of floats as bytes, which multiply by 1/s where that is safe, are those of the definition.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "quant/fake_quantize.h"
#include "quant/integer_arithmetic.h"

namespace ptq::quant {
namespace {

/// Values around every tie of the format, from the tie itself to a 500th of a code away, and beyond
/// both ends.
std::vector<float> around_ties(const QParams& params) {
  std::vector<float> values = {-1e30F, -1000 * params.scale, 0, 1000 * params.scale, 1e30F};
  for (float code = -300; code <= 300; ++code) {
    float above = (code + 0.5F) * params.scale, below = above;
    for (int ulps = 0; ulps < 6; ++ulps) {
      values.push_back(above = std::nextafter(above, INFINITY));
      values.push_back(below = std::nextafter(below, -INFINITY));
    }
    for (float away = 1.0F / 32768; away < 1.0F / 500; away *= 1.3F) {
      values.push_back((code + 0.5F + away) * params.scale);
      values.push_back((code + 0.5F - away) * params.scale);
    }
  }
  return values;
}

TEST(ByteCodes, AreThoseOfTheDefinitionAroundTies) {
  for (const float zero : {0.0F, 1.0F, 77.0F, 254.0F, 255.0F}) {
    for (float scale = 1e-5F; scale < 100; scale *= 1.618F) {
      for (const float each : {scale, std::exp2(std::round(std::log2(scale)))}) {
        const ByteFormat format{{each, zero, 0, 255}, 0};
        const std::vector<float> values = around_ties(format.params);
        std::vector<uint8_t> bytes(values.size());
        quantize(values.data(), bytes.data(), static_cast<int64_t>(values.size()), format);
        for (size_t i = 0; i < values.size(); ++i) {
          ASSERT_EQ(bytes[i], quantize(values[i], format.params)) << values[i] << " / " << each;
        }
      }
    }
  }
}

}  // namespace
}  // namespace ptq::quant
