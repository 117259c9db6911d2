#include "jit/piece_emitter.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include "jit/vector_maths.hpp"

namespace kinetune::jit {
namespace {

using symbolic::Expr;
using symbolic::Op;

/// Emits one piece of a kernel as straight-line code.
class PieceEmitter {
 public:
  PieceEmitter(llvm::Function& function, const Bindings& common, const Kernel& kernel, const CutKernel& cut)
      : function_(function),
        common_(common),
        kernel_(kernel),
        cut_(cut),
        width_(static_cast<unsigned>(kernel.width)),
        builder_(llvm::BasicBlock::Create(function.getContext(), "", &function)) {
    llvm::FastMathFlags flags;
    flags.setAllowContract();  // fused multiply-add; everything else as IEEE says
    builder_.setFastMathFlags(flags);
    scalar_ = builder_.getDoubleTy();
    real_ = width_ == 1 ? scalar_ : llvm::FixedVectorType::get(scalar_, width_);
  }

  void emit(const Piece& piece) {
    for (const Expr& e : piece.operations) {
      if (!cut_.divisors.contains(e.id())) define(e);
    }
    for (const int i : piece.results) store(number(kernel_.results[i]), Argument::out, i);
    builder_.CreateRetVoid();
    for (const auto& [array, n_bytes] : n_bytes_read_) {
      function_.addParamAttr(static_cast<unsigned>(array),
                             llvm::Attribute::getWithDereferenceableBytes(function_.getContext(), n_bytes));
    }
  }

 private:
  enum class Argument : unsigned { time, state, prelude, argument, out, workspace };

  llvm::Value* argument(Argument which) { return function_.getArg(static_cast<unsigned>(which)); }

  llvm::Value* address(Argument array, int index) {
    llvm::Value* first =
        builder_.CreateConstInBoundsGEP1_32(scalar_, argument(array), static_cast<unsigned>(index) * width_);
    return builder_.CreateBitCast(first, llvm::PointerType::getUnqual(real_));
  }
  llvm::Value* load(Argument array, int index) {
    return builder_.CreateAlignedLoad(real_, address(array, index), llvm::Align(alignof(double)));
  }
  /// Loads what the kernel does not change. Knowing that spares the code generator a comparison with each
  /// store.
  llvm::Value* load_given(Argument array, int index) {
    llvm::Value* value = load(array, index);
    llvm::cast<llvm::Instruction>(value)->setMetadata(llvm::LLVMContext::MD_invariant_load,
                                                      llvm::MDNode::get(function_.getContext(), {}));
    std::uint64_t& n_bytes = n_bytes_read_[array];
    n_bytes = std::max<std::uint64_t>(n_bytes, sizeof(double) * width_ * (index + 1));
    return value;
  }
  void store(llvm::Value* value, Argument array, int index) {
    builder_.CreateAlignedStore(value, address(array, index), llvm::Align(alignof(double)));
  }

  /// In every lane.
  llvm::Value* real(double value) { return llvm::ConstantFP::get(real_, value); }

  void define(Expr e) {
    values_[e.id()] = operation(e);
    if (const auto slot = cut_.spilled.find(e.id()); slot != cut_.spilled.end()) {
      store(number(e), Argument::workspace, slot->second);
    }
  }

  /// The node's value: a double in each lane, or one bit for what is logical.
  llvm::Value* value(Expr e) {
    if (e.is_constant()) return real(e.value());
    llvm::Value*& known = values_[e.id()];
    if (!known) known = e.is_symbol() ? symbol(e) : load(Argument::workspace, cut_.spilled.at(e.id()));
    return known;
  }

  llvm::Value* number(Expr e) {
    llvm::Value* v = value(e);
    return v->getType() == real_ ? v : builder_.CreateUIToFP(v, real_);
  }

  llvm::Value* condition(Expr e) {
    llvm::Value* v = value(e);
    return v->getType() == real_ ? builder_.CreateFCmpUNE(v, real(0.0)) : v;
  }

  llvm::Value* symbol(Expr e) {
    const auto own = kernel_.own.find(e.id());
    const Slot slot = own != kernel_.own.end() ? own->second : common_.at(e.id());
    switch (slot.array) {
      case Slot::Array::time:
        return argument(Argument::time);
      case Slot::Array::state:
        return load_given(Argument::state, slot.index);
      case Slot::Array::prelude:
        return load_given(Argument::prelude, slot.index);
      case Slot::Array::argument:
        break;
    }
    return load_given(Argument::argument, slot.index);
  }

  llvm::Value* multiply(llvm::Value* a, llvm::Value* b) { return a ? builder_.CreateFMul(a, b) : b; }

  /// The exponent of a power whose factors can be multiplied one by one; otherwise 0.
  int whole_exponent(Expr e) const {
    if (e.op() != Op::pow || !e.args()[1].is_constant()) return 0;
    const double exponent = e.args()[1].value();
    const Expr base = e.args()[0];
    const bool is_known = base.is_symbol() || values_.contains(base.id()) || cut_.spilled.contains(base.id());
    const bool is_whole = exponent == std::floor(exponent) && std::fabs(exponent) <= 16.0;
    return is_known && is_whole ? static_cast<int>(exponent) : 0;
  }

  llvm::Value* reciprocal(Expr base) {
    llvm::Value*& known = reciprocals_[base.id()];
    if (!known) known = builder_.CreateFDiv(real(1.0), number(base));
    return known;
  }

  /// Where a divisor has a power, as in derivatives of saturated rates, it would often overflow though the
  /// quotient does not, so factors and divisors take turns.
  llvm::Value* product(Expr e) {
    const bool takes_turns =
        std::ranges::any_of(e.args(), [&](const Expr& arg) { return whole_exponent(arg) <= -2; });
    std::vector<llvm::Value*> factors, reciprocals;
    llvm::Value* denominator = nullptr;
    bool negative = false;
    for (const Expr& arg : e.args()) {
      const int exponent = takes_turns ? whole_exponent(arg) : 0;
      if (arg.is_constant(-1.0))
        negative = !negative;
      else if (exponent < 0)
        reciprocals.insert(reciprocals.end(), -exponent, reciprocal(arg.args()[0]));
      else if (exponent > 0)
        factors.insert(factors.end(), exponent, number(arg.args()[0]));
      else if (cut_.divisors.contains(arg.id()))
        denominator = multiply(denominator, power(arg.args()[0], -arg.args()[1].value()));
      else
        factors.push_back(number(arg));
    }
    llvm::Value* result = nullptr;
    for (std::size_t i = 0; i < std::max(factors.size(), reciprocals.size()); ++i) {
      if (i < factors.size()) result = multiply(result, factors[i]);
      if (i < reciprocals.size()) result = multiply(result, reciprocals[i]);
    }
    if (!result) result = real(1.0);
    if (denominator) result = builder_.CreateFDiv(result, denominator);
    return negative ? builder_.CreateFNeg(result) : result;
  }

  llvm::Value* sum(Expr e) {
    llvm::Value* total = nullptr;
    for (const Expr& arg : e.args()) total = total ? builder_.CreateFAdd(total, number(arg)) : number(arg);
    return total;
  }

  llvm::Value* power(Expr base, double exponent) {
    if (exponent < 0.0) return builder_.CreateFDiv(real(1.0), power(base, -exponent));
    const double whole = std::floor(exponent), fraction = exponent - whole;
    if (exponent > 16.0 || (fraction != 0.0 && fraction != 0.5))
      return call("pow", {number(base), real(exponent)});
    llvm::Value* result = fraction == 0.5 ? call("sqrt", {number(base)}) : nullptr;
    llvm::Value* square = number(base);
    for (auto bits = static_cast<unsigned>(whole); bits != 0; bits >>= 1) {
      if (bits & 1u) result = multiply(result, square);
      if (bits > 1u) square = builder_.CreateFMul(square, square);
    }
    return result;
  }

  llvm::Value* call(const char* name, std::initializer_list<llvm::Value*> arguments) {
    if (std::string_view(name) == "sqrt") {
      return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, *arguments.begin());
    }
    if (width_ == 1) return call(name, scalar_, arguments);
    const auto vector_name = vector_function(name, static_cast<int>(arguments.size()), kernel_.width);
    return vector_name ? call(*vector_name, real_, arguments) : call_by_lane(name, arguments);
  }

  llvm::Value* call(const std::string& name, llvm::Type* type, llvm::ArrayRef<llvm::Value*> arguments) {
    const std::vector<llvm::Type*> types(arguments.size(), type);
    auto callee =
        function_.getParent()->getOrInsertFunction(name, llvm::FunctionType::get(type, types, false));
    auto* declared = llvm::cast<llvm::Function>(callee.getCallee());
    declared->setDoesNotAccessMemory();
    declared->setDoesNotThrow();
    return builder_.CreateCall(callee, arguments);
  }

  llvm::Value* call_by_lane(const std::string& name, llvm::ArrayRef<llvm::Value*> arguments) {
    llvm::Value* result = llvm::PoisonValue::get(real_);
    for (unsigned lane = 0; lane < width_; ++lane) {
      std::vector<llvm::Value*> of_lane;
      for (llvm::Value* argument : arguments)
        of_lane.push_back(builder_.CreateExtractElement(argument, lane));
      result = builder_.CreateInsertElement(result, call(name, scalar_, of_lane), lane);
    }
    return result;
  }

  llvm::Value* intrinsic(llvm::Intrinsic::ID id, Expr a) {
    return builder_.CreateUnaryIntrinsic(id, number(a));
  }

  llvm::Value* sign(llvm::Value* a) {
    llvm::Value* one_sided = builder_.CreateSelect(builder_.CreateFCmpOLT(a, real(0.0)), real(-1.0), a);
    return builder_.CreateSelect(builder_.CreateFCmpOGT(a, real(0.0)), real(1.0), one_sided);
  }

  llvm::Value* operation(Expr e) {
    const auto a = e.args();
    switch (e.op()) {
      case Op::add:
        return sum(e);
      case Op::mul:
        return product(e);
      case Op::pow:
        return a[1].is_constant() ? power(a[0], a[1].value()) : call("pow", {number(a[0]), number(a[1])});
      case Op::exp:
        return call("exp", {number(a[0])});
      case Op::log:
        return call("log", {number(a[0])});
      case Op::sin:
        return call("sin", {number(a[0])});
      case Op::cos:
        return call("cos", {number(a[0])});
      case Op::tan:
        return call("tan", {number(a[0])});
      case Op::asin:
        return call("asin", {number(a[0])});
      case Op::acos:
        return call("acos", {number(a[0])});
      case Op::atan:
        return call("atan", {number(a[0])});
      case Op::sinh:
        return call("sinh", {number(a[0])});
      case Op::cosh:
        return call("cosh", {number(a[0])});
      case Op::tanh:
        return call("tanh", {number(a[0])});
      case Op::asinh:
        return call("asinh", {number(a[0])});
      case Op::acosh:
        return call("acosh", {number(a[0])});
      case Op::atanh:
        return call("atanh", {number(a[0])});
      case Op::abs:
        return intrinsic(llvm::Intrinsic::fabs, a[0]);
      case Op::floor:
        return intrinsic(llvm::Intrinsic::floor, a[0]);
      case Op::ceil:
        return intrinsic(llvm::Intrinsic::ceil, a[0]);
      case Op::sign:
        return sign(number(a[0]));
      case Op::min:
        return choose(builder_.CreateFCmpOLT(number(a[0]), number(a[1])), a[0], a[1]);
      case Op::max:
        return choose(builder_.CreateFCmpOGT(number(a[0]), number(a[1])), a[0], a[1]);
      case Op::remainder:
        return remainder(number(a[0]), number(a[1]));
      case Op::less:
        return builder_.CreateFCmpOLT(number(a[0]), number(a[1]));
      case Op::less_equal:
        return builder_.CreateFCmpOLE(number(a[0]), number(a[1]));
      case Op::equal:
        return builder_.CreateFCmpOEQ(number(a[0]), number(a[1]));
      case Op::logical_and:
        return builder_.CreateAnd(condition(a[0]), condition(a[1]));
      case Op::logical_or:
        return builder_.CreateOr(condition(a[0]), condition(a[1]));
      case Op::logical_not:
        return builder_.CreateNot(condition(a[0]));
      case Op::select:
        return choose(condition(a[0]), a[1], a[2]);
      case Op::xlogy: {
        llvm::Value* logarithm = builder_.CreateFMul(number(a[0]), call("log", {number(a[1])}));
        return builder_.CreateSelect(builder_.CreateFCmpOEQ(number(a[0]), real(0.0)), real(0.0), logarithm);
      }
      case Op::constant:
      case Op::symbol:
        break;
    }
    llvm_unreachable("constants and symbols are no operations");
  }

  llvm::Value* choose(llvm::Value* condition, Expr if_true, Expr otherwise) {
    return builder_.CreateSelect(condition, number(if_true), number(otherwise));
  }

  llvm::Value* remainder(llvm::Value* a, llvm::Value* b) {
    llvm::Value* quotient = builder_.CreateUnaryIntrinsic(llvm::Intrinsic::floor, builder_.CreateFDiv(a, b));
    return builder_.CreateFSub(a, builder_.CreateFMul(b, quotient));
  }

  llvm::Function& function_;
  const Bindings& common_;
  const Kernel& kernel_;
  const CutKernel& cut_;
  unsigned width_;
  llvm::IRBuilder<> builder_;
  llvm::Type *scalar_, *real_;
  std::unordered_map<std::uint32_t, llvm::Value*> values_, reciprocals_;  // by node
  std::map<Argument, std::uint64_t> n_bytes_read_;                        // of what is given
};

}  // namespace

void emit_piece(llvm::Function& function, const Bindings& common, const Kernel& kernel, const CutKernel& cut,
                const Piece& piece) {
  PieceEmitter(function, common, kernel, cut).emit(piece);
}

}  // namespace kinetune::jit
