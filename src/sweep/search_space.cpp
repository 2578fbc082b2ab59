#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "sweep/search.h"

namespace ptq::sweep {
namespace {

bool names(const Sweep& sweep, std::string_view option) {
  const auto is_it = [&](const Choice& choice) { return choice.option->name == option; };
  return std::any_of(sweep.options.begin(), sweep.options.end(), is_it) ||
         std::any_of(sweep.models.begin(), sweep.models.end(), [&](const auto& model) {
           return std::any_of(model.begin(), model.end(), is_it);
         });
}

Choice choice(std::string_view name, std::initializer_list<const char*> words) {
  Choice made{options::find_option(name), {}};
  for (const char* word : words) made.values.push_back(options::parse_value(*made.option, {word}));
  return made;
}

}  // namespace

Sweep with_free_techniques(Sweep sweep) {
  for (Choice& free : std::vector<Choice>{
           choice("act-quant-calibration-type", {"stats", "mse"}),
           choice("act-quant-percentile", {"99.999", "99.9"}),
           choice("weight-quant-calibration-type", {"stats", "mse"}),
           choice("graph-eq-iterations", {"20", "0"}), choice("bias-corr", {"on", "off"}),
           choice("gptq", {"off", "on"}), choice("gpfq", {"off", "on"}),
           choice("qronos", {"off", "on"}), choice("gpxq-act-order", {"off", "on"})}) {
    if (!names(sweep, free.option->name)) sweep.options.push_back(std::move(free));
  }
  for (const auto& [one, other] :
       {std::pair("gptq", "gpfq"), std::pair("gptq", "qronos"), std::pair("gpfq", "qronos")}) {
    sweep.exclusions.push_back({{choice(one, {"on"}), choice(other, {"on"})},
                                "a search has one technique of rounding at a time"});
  }
  return sweep;
}

}  // namespace ptq::sweep
