#include "sample/finite_field.hpp"

#include <algorithm>

namespace kinetune::sample {
namespace {

using Polynomial = std::vector<std::uint32_t>;  // coefficients, the constant one first

std::uint32_t power(std::uint32_t base, std::uint32_t exponent) {
  std::uint32_t result = 1;
  while (exponent-- > 0) result *= base;
  return result;
}

Polynomial digits(std::uint32_t number, std::uint32_t p, std::uint32_t n) {
  Polynomial result(n);
  for (std::uint32_t& digit : result) {
    digit = number % p;
    number /= p;
  }
  return result;
}

/// The remainder of a division by x^n + lower, where `lower` has n coefficients.
Polynomial remainder(Polynomial dividend, const Polynomial& lower, std::uint32_t p) {
  for (std::size_t top = dividend.size(); top-- > lower.size();) {
    const std::uint64_t factor = dividend[top];
    for (std::size_t i = 0; i < lower.size(); ++i) {
      std::uint32_t& coefficient = dividend[top - lower.size() + i];
      coefficient = static_cast<std::uint32_t>((coefficient + factor * (p - lower[i])) % p);
    }
  }
  dividend.resize(lower.size());
  return dividend;
}

/// Whether no polynomial of up to half its degree divides x^k + lower.
bool is_irreducible(const Polynomial& lower, std::uint32_t p) {
  const auto k = static_cast<std::uint32_t>(lower.size());
  Polynomial whole = lower;
  whole.push_back(1);
  for (std::uint32_t degree = 1; degree <= k / 2; ++degree) {
    for (std::uint32_t i = 0; i < power(p, degree); ++i) {
      const Polynomial rest = remainder(whole, digits(i, p, degree), p);
      if (std::ranges::all_of(rest, [](std::uint32_t c) { return c == 0; })) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<FiniteField> FiniteField::of_order(std::uint32_t q) {
  if (q < 2) return {};
  std::uint32_t p = 2, k = 0;
  while (p * p <= q && q % p != 0) ++p;
  if (q % p != 0) p = q;
  for (; q % p == 0; q /= p) ++k;
  if (q != 1) return {};
  return FiniteField(p, k);
}

FiniteField::FiniteField(std::uint32_t p, std::uint32_t k) : p_(p), k_(k) {
  std::uint32_t i = 0;
  do {
    modulus_ = digits(i++, p, k);
  } while (!is_irreducible(modulus_, p));
}

std::uint32_t FiniteField::add(std::uint32_t a, std::uint32_t b) const {
  std::uint32_t sum = 0;
  for (std::uint32_t place = 1, i = 0; i < k_; ++i, place *= p_, a /= p_, b /= p_)
    sum += (a % p_ + b % p_) % p_ * place;
  return sum;
}

std::uint32_t FiniteField::multiply(std::uint32_t a, std::uint32_t b) const {
  const Polynomial left = digits(a, p_, k_), right = digits(b, p_, k_);
  Polynomial product(2 * k_ - 1);
  for (std::uint32_t i = 0; i < k_; ++i) {
    for (std::uint32_t j = 0; j < k_; ++j)
      product[i + j] = static_cast<std::uint32_t>((product[i + j] + std::uint64_t{left[i]} * right[j]) % p_);
  }
  const Polynomial rest = remainder(std::move(product), modulus_, p_);
  std::uint32_t result = 0;
  for (std::uint32_t i = k_; i-- > 0;) result = result * p_ + rest[i];
  return result;
}

}  // namespace kinetune::sample
