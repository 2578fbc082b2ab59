#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// What the program wrote, held against what the reference wrote (shared golden figures).
namespace ptq::golden {

/// A float32 matrix of a .npy file.
struct Matrix {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<float> values;
};

/// Reads version 1.0, little-endian float32, two dimensions. Throws std::runtime_error otherwise.
Matrix read_npy(const std::string& path);

/// The first `rows` rows.
Matrix head(const Matrix& matrix, int64_t rows);

/// Largest |a - b| over the largest |b|. Infinite if the shapes differ or anything is not finite.
double relative_error(const Matrix& a, const Matrix& b);

/// Cosine of the angle between the matrices as vectors; 0 if the shapes differ.
double cosine(const Matrix& a, const Matrix& b);

/// How the quantizers of a dump differ from the reference's, a sentence each. Weights and biases
/// are matched by module; scales may differ by `tolerance` relative, formats not at all. The
/// reference numbers its identity quantizers its own way, so activations are matched by module
/// where the module has one, and by value elsewhere: every activation scale of either side must
/// exist on the other, with the same signedness.
std::vector<std::string> differences(const nlohmann::json& dump, const nlohmann::json& reference,
                                     double tolerance);

/// The largest relative difference of a scale of the reference from its counterpart in the dump:
/// the quantizer of that name, or for activations without one the nearest.
double worst_scale_error(const nlohmann::json& dump, const nlohmann::json& reference);

}  // namespace ptq::golden
