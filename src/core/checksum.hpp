#pragma once

#include <string>
#include <string_view>

namespace kinetune::core {

/// XXH3-128 of the bytes, as 32 hexadecimal digits. It tells inputs apart; it is no protection against
/// forgery.
std::string checksum(std::string_view bytes);

}  // namespace kinetune::core
