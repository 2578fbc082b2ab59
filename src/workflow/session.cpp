#include "workflow/session.h"

#include <utility>

#include "workflow/shared_stages.h"

namespace ptq::workflow {

Session::Session(Runs runs) : stages_(std::make_unique<SharedStages>()) { stages_->runs = runs; }

Session::~Session() = default;

void Session::announce(std::vector<Announced> announced) {
  stages_->announced = std::move(announced);
}

}  // namespace ptq::workflow
