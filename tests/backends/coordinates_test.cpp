#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <string>

#include "quantized_sites.h"

/// Where a network says itself where it reads, the places stay as they are.
namespace ptq::backends {
namespace {

using ir::InputRef;
using testing::NetworkBuilder;
using testing::place;
using ValueId = ir::ValueId;

/// Reads `features` at the places in `grid`, and convolves what it finds.
void sample(NetworkBuilder& net, ValueId features, ValueId grid) {
  const ir::Opaque sampler{
      "aten::grid_sampler", "", {InputRef{0}, InputRef{1}, ir::Dim{0}, ir::Dim{0}, false}};
  net.conv("last", net.add("sampler", sampler, {features, grid}), {});
}

bool has(const std::string& sites, const std::string& name) {
  return (" " + sites).find(" " + name + ":") != std::string::npos;
}

/// A spatial transformer: angles that a linear layer finds, and the grid that they make.
TEST(Coordinates, AnglesAreNotRounded) {
  NetworkBuilder net({3, 6, 6});
  const ValueId angles = net.linear("angles", net.reshape("flat", net.input(), {108}), 6);
  const ir::Opaque affine{
      "aten::affine_grid_generator", "", {InputRef{0}, ir::Dims{{1, true}, {3}, {6}, {6}}, false}};
  sample(net, net.conv("features", net.input(), {}),
         net.add("grid", affine, {net.reshape("matrix", angles, {2, 3})}));
  const std::string sites = place(net).sites();
  EXPECT_FALSE(has(sites, "angles")) << sites;
  EXPECT_TRUE(has(sites, "input")) << sites;
  EXPECT_TRUE(has(sites, "sampler")) << sites;
}

/// Deformable sampling: offsets that a convolution finds, added to a grid, with `more` at the sum.
template <class More>
std::string sites_of_offsets(const More& more) {
  NetworkBuilder net({3, 6, 6});
  ValueId x = net.conv("offsets", net.input(), {2});
  x = net.add("tanh", ir::Opaque{"aten::tanh", "", {InputRef{0}}}, {x});
  const ValueId grid = net.add("grid", ir::Constant{{"grid", at::rand({1, 2, 6, 6})}}, {});
  x = net.add("sum", ir::Add{}, {x, grid});
  const ValueId features = more(net, x);
  sample(net, features, net.add("places", ir::Permute{{0, 2, 3, 1}}, {x}));
  return place(net).sites();
}

TEST(Coordinates, OffsetsAndTheirSumWithAGridAreNotRounded) {
  const std::string sites = sites_of_offsets(
      [](NetworkBuilder& net, ValueId) { return net.conv("features", net.input(), {}); });
  EXPECT_FALSE(has(sites, "offsets")) << sites;
  EXPECT_FALSE(has(sites, "grid")) << sites;
  EXPECT_FALSE(has(sites, "sum")) << sites;
}

/// A convolution that reads the places as well takes them rounded.
TEST(Coordinates, AreRoundedForOtherReaders) {
  const std::string sites = sites_of_offsets(
      [](NetworkBuilder& net, ValueId places) { return net.conv("features", places, {}); });
  EXPECT_FALSE(has(sites, "offsets")) << sites;
  EXPECT_TRUE(has(sites, "sum")) << sites;
}

/// What is read at the places is an activation like others.
TEST(Coordinates, WhatIsReadThereIsRounded) {
  NetworkBuilder net({3, 6, 6});
  const ValueId grid = net.add("grid", ir::Constant{{"grid", at::rand({1, 6, 6, 2})}}, {});
  const ValueId many = net.add("many", ir::Expand{{{1, true}, {6}, {6}, {2}}}, {grid});
  const ValueId one = net.conv("one", net.input(), {});
  sample(net, net.add("sum", ir::Add{}, {one, net.conv("two", net.input(), {})}), many);
  const std::string sites = place(net).sites();
  EXPECT_TRUE(has(sites, "one")) << sites;
  EXPECT_TRUE(has(sites, "sum")) << sites;
}

/// A layer between a value and a grid makes places of activations.
TEST(Coordinates, BeginBehindTheLastLayer) {
  NetworkBuilder net({3, 6, 6});
  const ValueId x = net.add("relu", ir::Relu{}, {net.conv("first", net.input(), {})});
  const ValueId offsets = net.conv("offsets", x, {2});
  sample(net, x, net.add("places", ir::Permute{{0, 2, 3, 1}}, {offsets}));
  const std::string sites = place(net).sites();
  EXPECT_TRUE(has(sites, "relu")) << sites;
  EXPECT_FALSE(has(sites, "offsets")) << sites;
}

/// Sampling by hand: row * 6 + column, from floors of what a layer finds, is where gather reads.
TEST(Coordinates, OfIntegersAreNotRounded) {
  NetworkBuilder net({3, 6, 6});
  const ir::Opaque floor{"aten::floor", "", {InputRef{0}}};
  const ValueId found = net.linear("found", net.reshape("flat", net.input(), {108}), 8);
  const ir::Opaque clamp{"aten::clamp", "", {InputRef{0}, 0.0, 5.0}};
  const ValueId floors = net.add("floors", floor, {net.add("clamp", clamp, {found})});
  const ValueId rows = net.add("rows", ir::MulScalar{6}, {floors});
  const ValueId sum = net.add("sum", ir::Add{}, {rows, floors});
  const ValueId whole = net.add(
      "long", ir::Opaque{"aten::to", "dtype", {InputRef{0}, ir::Dim{4}, false, false, {}}}, {sum});
  const ir::Opaque unsqueeze{"aten::unsqueeze", "", {InputRef{0}, ir::Dim{1}}};
  const ValueId places = net.add("places", unsqueeze, {whole});
  const ValueId features = net.reshape("pixels", net.conv("features", net.input(), {1}), {1, 36});
  const ir::Opaque gather{"aten::gather", "", {InputRef{0}, ir::Dim{2}, InputRef{1}, false}};
  const ValueId read = net.add("gather", gather, {features, places});
  net.linear("last", net.reshape("values", read, {8}), 2);
  const std::string sites = place(net).sites();
  for (const char* exact : {"found", "clamp", "floors", "rows", "sum"}) {
    EXPECT_FALSE(has(sites, exact)) << exact << ": " << sites;
  }
}

/// Scores that topk sorts are activations, though gather reads at what it finds.
TEST(Coordinates, AreNotScores) {
  NetworkBuilder net({3, 6, 6});
  const ValueId scores = net.linear("scores", net.reshape("flat", net.input(), {108}), 8);
  const ValueId more = net.add("more", ir::MulScalar{6}, {scores});
  const ir::Opaque top{"aten::argsort", "", {InputRef{0}, ir::Dim{1}, false}};
  const ValueId order = net.add("order", top, {more});
  const ir::Opaque gather{"aten::gather", "", {InputRef{0}, ir::Dim{1}, InputRef{1}, false}};
  net.linear("last", net.add("gather", gather, {scores, order}), 2);
  const std::string sites = place(net).sites();
  EXPECT_TRUE(has(sites, "scores")) << sites;
}

}  // namespace
}  // namespace ptq::backends
