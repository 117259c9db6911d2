#pragma once

#include <memory>

#include "generate/generator.hpp"

namespace kinetune::generate {

/// Of a method that has a network. @throws core::Error when the device is not there
std::unique_ptr<Generator> make_neural_generator(const GeneratorOptions&);

}  // namespace kinetune::generate
