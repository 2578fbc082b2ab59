#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// Quantizers that the program dumped, held against those of the reference (shared golden figures).
namespace ptq::golden {

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
