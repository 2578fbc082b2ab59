#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <variant>
#include <vector>

/// The table of options: everything the program can be told. Command line, configuration file,
/// --help and the report's `config` all follow from it.
namespace ptq::options {

/// A value of an option. std::monostate is None.
using Value = std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<double>,
                           std::vector<std::string>>;

/// kSwitch is `--name`; kOnOff is `--name` and `--no-name`; kNumbers takes three numbers; kTexts
/// may be repeated.
enum class ValueType { kText, kTexts, kInteger, kNumber, kNumbers, kSwitch, kOnOff };

enum class Group { kModel, kData, kQuantization, kTechniques, kRun, kGate, kOutput };

/// The stages of a run in the order in which options come in. What a stage makes depends on the
/// options of its level and of all before it, and on no other.
///
/// - kModel: the imported graph; the float network's answers.
/// - kPreparation: the graph after the passes of the preparation.
/// - kCalibrationImages: the graph after equalization of activations.
/// - kActivations: scales and zero points of activations; mean inputs of layers.
/// - kQuantized: the quantized network and its answers.
/// - kNothing: what only changes speed, or what is written where.
enum class Level { kModel, kPreparation, kCalibrationImages, kActivations, kQuantized, kNothing };

/// What the name of a run says of an option (options/run_name.h). kStem: what the reference's
/// name says. kAppended: the value, where it is not the default. kNot: it changes no result, or the
/// hash of the inputs covers it.
enum class Naming { kStem, kAppended, kNot };

/// Where a number may lie; both ends included unless `above_low`.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above_low = false;
};

/// What an option has no effect without: one of these options, with one of these values or, where
/// none are named, any but off (off, None, 0).
struct Need {
  struct Other {
    Other(const char* name, std::vector<std::string_view> some = {})
        : option(name), values(std::move(some)) {}
    std::string_view option;
    std::vector<std::string_view> values;
  };
  std::vector<Other> one_of;
  /// Completes "A with B: ".
  std::string_view reason;
};

inline constexpr std::string_view kNoEffect = "it would have no effect";

/// One row of the table. Values are written as on the command line; on/off for switches.
struct Option {
  std::string_view name;
  Group group = Group::kRun;
  ValueType type = ValueType::kText;
  std::string_view default_value;
  std::string_view help;
  /// The reference's default where ours differs; empty otherwise.
  std::string_view reference_default = {};
  bool in_reference = true;
  bool accepts_none = false;
  std::vector<std::string_view> choices = {};
  /// What each choice stands for, as numbers of an enum of this type.
  std::vector<int> meanings = {};
  std::type_index choice_type = typeid(void);
  Range range = {};
  /// Values outside the range that are good too.
  std::vector<std::string_view> extra = {};
  /// kModel, which shares nothing, unless the row says that it comes in later.
  Level level = Level::kModel;
  Naming naming = Naming::kAppended;
  /// What the reference's configuration line calls it, and where in the line; empty: it does not.
  std::string_view label = {};
  int label_place = 0;
  /// What the option sets, as ptq/quantize_config.h calls it; empty where no message needs it.
  std::string_view field = {};
  /// All that it needs (combinations/need_rules.cpp).
  std::vector<Need> required = {};
  /// Says how backends place quantizers or prepare the network for them, which networks defined by
  /// hand do themselves.
  bool is_for_backends = false;
  /// The default stands for something worked out at run time: these words say what.
  std::string_view default_words = {};

  // The rest reads like a sentence in the table.
  Option or_none() const;
  Option one_of(std::initializer_list<std::string_view> values) const;
  /// The same, with what each word stands for.
  template <class Choice>
  Option words(std::initializer_list<std::pair<std::string_view, Choice>> values) const {
    Option option = *this;
    option.choice_type = typeid(Choice);
    for (const auto& [word, meaning] : values) {
      option.choices.push_back(word);
      option.meanings.push_back(static_cast<int>(meaning));
    }
    return option;
  }
  Option sets(std::string_view config_field) const;
  Option from(Level first_stage) const;
  Option named_in_stem() const;
  Option not_named() const;
  Option labelled(int place, std::string_view words) const;
  Option between(double low, double high) const;
  Option at_least(double low) const;
  Option above(double low, double high = std::numeric_limits<double>::infinity()) const;
  Option also(std::initializer_list<std::string_view> values) const;
  Option reference_has(std::string_view value) const;
  Option by_default(std::string_view words) const;
  Option ours() const;
  Option needs(const char* option, std::vector<std::string_view> values = {},
               std::string_view reason = kNoEffect) const;
  Option needs_one_of(std::vector<Need::Other> options, std::string_view reason = kNoEffect) const;
  Option for_backends() const;
};

const std::vector<Option>& option_table();

/// nullptr for a name that is in no row. Dashes only.
const Option* find_option(std::string_view name);
/// The option that sets a field of the configuration, or nullptr.
const Option* option_of_field(std::string_view field);

/// `words` as a value of the option. Throws ConfigError, one sentence that begins with the flag,
/// for a value of the wrong type, outside choices or range.
Value parse_value(const Option& option, const std::vector<std::string>& words);

/// As it would be typed: 8, 99.999, on, None, "0.5 0.5 0.5".
std::string to_text(const Value& value);

/// The value in force when nobody says anything.
Value default_value(const Option& option);

}  // namespace ptq::options
