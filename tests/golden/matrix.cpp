#include "golden/matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "support/temporary_folder.h"

namespace ptq::golden {
namespace {

constexpr double kNoNoise = 150;

int64_t number_after(const std::string& text, size_t& position) {
  size_t used = 0;
  const int64_t value = std::stoll(text.substr(position), &used);
  position += used;
  return value;
}

bool same_shape(const Matrix& a, const Matrix& b) {
  return a.rows == b.rows && a.columns == b.columns && a.values.size() == b.values.size();
}

double row_sqnr(const float* exact, const float* quantized, int64_t count) {
  double signal = 0, noise = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double error = double{exact[i]} - double{quantized[i]};
    signal += double{exact[i]} * double{exact[i]};
    noise += error * error;
  }
  if (!std::isfinite(signal) || !std::isfinite(noise)) return -HUGE_VAL;
  return noise == 0 ? kNoNoise : std::min(kNoNoise, 10 * std::log10(signal / noise));
}

}  // namespace

Matrix read_npy(const std::string& path) {
  const std::string content = support::content_of(path);
  constexpr size_t kPrefix = 10;
  if (content.size() < kPrefix || content.compare(0, 8, std::string("\x93NUMPY\x01\x00", 8)) != 0) {
    throw std::runtime_error(path + " is no .npy file of version 1.0");
  }
  const size_t length = static_cast<unsigned char>(content[8]) +
                        (static_cast<size_t>(static_cast<unsigned char>(content[9])) << 8);
  const std::string header = content.substr(kPrefix, length);
  size_t position = header.find("'shape': (");
  if (header.find("'<f4'") == std::string::npos || position == std::string::npos) {
    throw std::runtime_error(path + " holds no float32 matrix");
  }
  position += std::strlen("'shape': (");
  Matrix matrix;
  matrix.rows = number_after(header, position);
  position += std::strlen(", ");
  matrix.columns = number_after(header, position);
  matrix.values.resize(static_cast<size_t>(matrix.rows * matrix.columns));
  if (content.size() != kPrefix + length + matrix.values.size() * sizeof(float)) {
    throw std::runtime_error(path + " has another length than its header says");
  }
  std::memcpy(matrix.values.data(), content.data() + kPrefix + length,
              matrix.values.size() * sizeof(float));
  return matrix;
}

Matrix head(const Matrix& matrix, int64_t rows) {
  Matrix first = matrix;
  first.rows = std::min(rows, matrix.rows);
  first.values.resize(static_cast<size_t>(first.rows * first.columns));
  return first;
}

double largest_difference(const Matrix& a, const Matrix& b) {
  if (!same_shape(a, b)) return HUGE_VAL;
  double largest = 0;
  for (size_t i = 0; i < a.values.size(); ++i) {
    const double difference = std::abs(double{a.values[i]} - double{b.values[i]});
    if (!std::isfinite(difference)) return HUGE_VAL;
    largest = std::max(largest, difference);
  }
  return largest;
}

double relative_error(const Matrix& a, const Matrix& b) {
  double largest = 0;
  for (const float value : b.values) largest = std::max(largest, std::abs(double{value}));
  return largest_difference(a, b) / largest;
}

double cosine(const Matrix& a, const Matrix& b) {
  if (!same_shape(a, b)) return 0;
  double product = 0;
  double square_a = 0;
  double square_b = 0;
  for (size_t i = 0; i < a.values.size(); ++i) {
    product += double{a.values[i]} * double{b.values[i]};
    square_a += double{a.values[i]} * double{a.values[i]};
    square_b += double{b.values[i]} * double{b.values[i]};
  }
  return product / std::sqrt(square_a * square_b);
}

double mean_sqnr(const Matrix& exact, const Matrix& quantized) {
  if (!same_shape(exact, quantized)) return -HUGE_VAL;
  double sum = 0;
  for (int64_t row = 0; row < exact.rows; ++row) {
    sum += row_sqnr(exact.row(row), quantized.row(row), exact.columns);
  }
  return sum / static_cast<double>(exact.rows);
}

std::vector<double> margins(const Matrix& logits, const std::vector<int64_t>& labels) {
  std::vector<double> result;
  for (int64_t row = 0; row < logits.rows; ++row) {
    const int64_t label = labels.at(static_cast<size_t>(row));
    double best = -HUGE_VAL;
    for (int64_t column = 0; column < logits.columns; ++column) {
      if (column != label) best = std::max(best, double{logits.row(row)[column]});
    }
    result.push_back(double{logits.row(row)[label]} - best);
  }
  return result;
}

}  // namespace ptq::golden
