#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Logits in files, and how they differ.
namespace ptq::golden {

/// A float32 matrix of a .npy file, a row per image.
struct Matrix {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<float> values;

  const float* row(int64_t index) const { return values.data() + index * columns; }
};

/// Reads version 1.0, little-endian float32, two dimensions. Throws std::runtime_error otherwise.
Matrix read_npy(const std::string& path);

/// The first `rows` rows.
Matrix head(const Matrix& matrix, int64_t rows);

/// Largest |a - b|. Infinite if the shapes differ or anything is not finite.
double largest_difference(const Matrix& a, const Matrix& b);

/// The same over the largest |b|.
double relative_error(const Matrix& a, const Matrix& b);

/// Cosine of the angle between the matrices as vectors; 0 if the shapes differ.
double cosine(const Matrix& a, const Matrix& b);

/// Mean over rows of 10 log10(sum exact^2 / sum (exact - quantized)^2) in dB. A row without any
/// difference counts as 150 dB, just above what float32 can express. Minus infinity if the shapes
/// differ or anything is not finite.
double mean_sqnr(const Matrix& exact, const Matrix& quantized);

/// For each row, how far the logit of its label lies above the best of the others; below 0 where
/// the answer is wrong. `labels` has one for each row.
std::vector<double> margins(const Matrix& logits, const std::vector<int64_t>& labels);

}  // namespace ptq::golden
