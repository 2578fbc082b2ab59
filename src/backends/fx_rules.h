#pragma once

#include <unordered_set>

#include "backends/activation_placement.h"

/// What the fx steps ask of a graph and how they change it (reference-contract 5.2 to 5.4).
namespace ptq::backends::fx {

/// FakeQuantize nodes in `fused` stand for the quantizer inside an activation; all others are
/// identities of their own.
struct State : Draft {
  using Draft::Draft;
  std::unordered_set<const ir::Node*> fused;
};

/// Whether operands must agree in scale alone (add) or in the whole quantizer (concat).
enum class Alignment { kScale, kQuantizer };

/// Activations that carry a quantizer at their output.
bool is_quantized_activation(const ir::Node& node);
bool is_add(const ir::Node& node);

/// An add whose sum and operands are quantized. Not one that adds a mask, nor one whose readers
/// need exact values or that does itself: both stay in float.
bool is_quantized_add(const State& state, const ir::Index& index, const ir::Node& node);
/// The same of a concat: not one of masked values, nor one that needs exact ones.
bool is_quantized_concat(const State& state, const ir::Index& index, const ir::Node& node);

/// Whether `node` is a residual add that ResidualAdds takes out of the usual rules: nothing is
/// quantized for it or behind it until release_adds().
bool is_released(const State& state, const ir::Index& index, const ir::Node& node);

/// Operations the alignment walker looks through.
bool passes_alignment(const ir::Node& node);

/// No negative number is in `value`, by the quantizers and constants above it. The reference takes
/// any identity for unsigned (10, row 16); here its true sign counts.
bool is_value_unsigned(const State& state, const ir::Index& index, ir::ValueId value);
/// The same of every value that `node` reads.
bool are_inputs_unsigned(const State& state, const ir::Index& index, const ir::Node& node);

/// Nothing unquantized reaches `node`.
bool are_inputs_quantized(const State& state, const ir::Index& index, const ir::Node& node);
/// ... and at most one distinct quantizer (or scale) is above its inputs (5.3).
bool are_inputs_aligned(const State& state, const ir::Index& index, const ir::Node& node,
                        Alignment alignment);

/// Requantizes `node`'s output for all users if any user lacks an activation quantizer (5.2,
/// steps 3 and 5); looks through batch norm.
void requantize_output(State& state, ir::Node& node, Sign sign);

/// Step 4: shared scales at adds and concats, to a fixed point. Where scales cannot be shared,
/// every operand has a quantizer of its own.
void align_residuals(State& state);

/// The last step: released adds read what there was before quantization, or its wide form.
void release_adds(State& state);

}  // namespace ptq::backends::fx
