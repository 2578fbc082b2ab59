#include "import/guard/pickle.h"

#include <gtest/gtest.h>

#include "ptq/base/error.h"

namespace ptq::import {
namespace {

constexpr const char* kFloat = "ctorch\nFloatStorage\n";

std::string text(const std::string& word) {
  std::string pickled = "X";
  pickled.push_back(static_cast<char>(word.size()));
  return pickled + std::string(3, '\0') + word;
}

std::string number(int64_t value) {
  std::string pickled("\x8a\x08", 2);
  for (unsigned shift = 0; shift < 64; shift += 8) {
    pickled.push_back(static_cast<char>(static_cast<uint64_t>(value) >> shift));
  }
  return pickled;
}

std::string pickle(const std::string& operations) {
  return std::string("\x80\x02", 2) + operations + ".";
}

std::string tensor(int64_t stored, int64_t offset, int64_t rows, int64_t columns, int64_t stride) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + kFloat + text("0") +
         text("cpu") + number(stored) + "tQ" + number(offset) + number(rows) + number(columns) +
         "\x86" + number(stride) + number(1) + "\x86\x89" + "ccollections\nOrderedDict\n)RtR";
}

/// What is wrong with it, where record '0' holds 40 bytes.
std::string pickle_refusal(const std::string& pickled) {
  PickleRules rules;
  rules.name = "data.pkl";
  rules.storage_bytes = [](std::string_view key) {
    return key == "0" ? std::optional<uint64_t>(40) : std::nullopt;
  };
  try {
    check_pickle(pickled, rules);
  } catch (const ImportError& error) {
    return error.what();
  }
  return "";
}

TEST(Pickle, AcceptsTensorsWithinTheirStorage) {
  EXPECT_EQ(pickle_refusal(pickle(tensor(10, 0, 2, 5, 5))), "");
  EXPECT_EQ(pickle_refusal(pickle(tensor(10, 4, 2, 3, 3))), "");
  EXPECT_EQ(pickle_refusal(pickle(tensor(10, 0, 1000, 10, 0))), "") << "expanded";
  EXPECT_EQ(pickle_refusal(pickle(tensor(10, 0, 0, 5, 5))), "") << "empty";
}

TEST(Pickle, RefusesTensorsOutsideTheirStorage) {
  const int64_t large = int64_t{1} << 62;
  for (const std::string& outside :
       {tensor(10, 1, 2, 5, 5), tensor(10, -1, 2, 5, 5), tensor(10, 0, 3, 5, 5),
        tensor(10, 0, 2, 5, 6), tensor(10, large, 2, 5, 5), tensor(10, 0, large, 5, large),
        tensor(10, 11, 0, 5, 5), tensor(9, 0, 2, 5, 5)}) {
    EXPECT_NE(pickle_refusal(pickle(outside)).find("outside its data '0'"), std::string::npos)
        << pickle_refusal(pickle(outside));
  }
  EXPECT_NE(pickle_refusal(pickle(tensor(10, 0, -2, 5, 5))).find("not extents"), std::string::npos);
  EXPECT_NE(pickle_refusal(pickle(tensor(10, 0, large, 5, 0))).find("far more elements"),
            std::string::npos);
}

TEST(Pickle, RefusesStoragesLongerThanTheirData) {
  EXPECT_NE(pickle_refusal(pickle(tensor(11, 0, 2, 5, 5))).find("promises 11 numbers"),
            std::string::npos);
}

/// What is kept once and used often costs nothing each time; 10^12 steps would never end.
TEST(Pickle, CallsOftenWithOneLargeTuple) {
  constexpr size_t kMany = 1'000'000;
  std::string calls =
      "(c__torch__\nNet\n" + std::string("q\0", 2) + "(" + std::string(kMany, 'N') + "tq\1";
  for (size_t i = 0; i < kMany; ++i) calls += std::string("h\0h\1R", 5);
  EXPECT_EQ(pickle_refusal(pickle(calls + "t")), "");
}

TEST(Pickle, CountsItsValues) {
  PickleRules rules;
  EXPECT_EQ(check_pickle(pickle("(NNt"), rules).values, 3U);
  rules.most_values = 3;
  EXPECT_EQ(check_pickle(pickle("(NNt"), rules).values, 3U);
  EXPECT_THROW(check_pickle(pickle("(NNNt"), rules), ImportError);
}

TEST(Pickle, RefusesWhatIsNotOnTheStack) {
  for (const char* operations : {"", "\x86", "t", "e", "u", "b", "R", "Q", "\x81", "q\1", "h\1",
                                 "(", "N(", "NN", "(Ne", "]Ne", "N)R", "K\1)R", "K\1)\x81"}) {
    EXPECT_NE(pickle_refusal(pickle(operations)), "") << operations;
  }
}

TEST(Pickle, RefusesDepth) {
  std::string deep = ")";
  for (int i = 0; i < 300; ++i) deep += "\x85";
  EXPECT_NE(pickle_refusal(pickle(deep)).find("deeper than 256"), std::string::npos);
}

TEST(Pickle, RefusesCycles) {
  EXPECT_NE(pickle_refusal(pickle("]q\1(h\1e")), "") << "a list in itself";
  EXPECT_NE(pickle_refusal(pickle("]q\1(h\1\x85"
                                  "e")),
            "")
      << "a list in a tuple in itself";
}

TEST(Pickle, RefusesForeignFunctions) {
  EXPECT_NE(pickle_refusal(pickle("cos\nsystem\n(" + text("id") + "tR")).find("'os system'"),
            std::string::npos);
  EXPECT_NE(pickle_refusal(pickle("cbuiltins\nobject\n)\x81")), "");
}

TEST(Pickle, RefusesLibTorchsOwnClassesUnlessTrusted) {
  const std::string packed =
      pickle("c__torch__.torch.classes.quantized\nConv2dPackedParamsBase\n)\x81}b");
  EXPECT_NE(pickle_refusal(packed).find("--trust-model"), std::string::npos);
  PickleRules rules;
  rules.classes_of_libtorch_allowed = true;
  EXPECT_EQ(check_pickle(packed, rules).kind, PickleKind::kObject);
}

}  // namespace
}  // namespace ptq::import
