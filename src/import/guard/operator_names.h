#pragma once

/// Words with blanks between them (operators.h).
namespace ptq::import {

extern const char* const kAtenOperators;
extern const char* const kPrimOperators;

}  // namespace ptq::import
