#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace kinetune::sample {

/// The field of q = p^k elements, p a prime: polynomials over the integers modulo p, modulo an irreducible
/// one of degree k. An element is the number whose digits in base p are the coefficients.
class FiniteField {
 public:
  /// None where q is no power of a prime. @param q  below 2^16
  static std::optional<FiniteField> of_order(std::uint32_t q);

  std::uint32_t add(std::uint32_t a, std::uint32_t b) const;
  std::uint32_t multiply(std::uint32_t a, std::uint32_t b) const;

 private:
  FiniteField(std::uint32_t p, std::uint32_t k);

  std::uint32_t p_, k_;
  std::vector<std::uint32_t> modulus_;  ///< coefficients below the leading one, which is 1
};

}  // namespace kinetune::sample
