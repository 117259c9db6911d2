#include "jit/emit.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/SubtargetFeature.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/Host.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>

#include "jit/piece_emitter.hpp"

namespace kinetune::jit {
namespace {

// Objects of about this many operations: enough of them to share between threads, not so many that linking
// shows.
constexpr std::size_t operations_per_object = 1000;

std::string host_features() {
  llvm::StringMap<bool> features;
  llvm::sys::getHostCPUFeatures(features);
  llvm::SubtargetFeatures text;
  for (const auto& feature : features) text.AddFeature(feature.first(), feature.second);
  return text.getString();
}

std::unique_ptr<llvm::TargetMachine> make_target_machine() {
  [[maybe_unused]] static const bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    // The scheduler's graph of dependences is what long straight-line code takes longest for, and such code
    // is no faster for it. LLVM has no other way to say so.
    if (llvm::cl::Option* scheduler = llvm::cl::getRegisteredOptions().lookup("enable-misched")) {
      scheduler->addOccurrence(0, scheduler->ArgStr, "false");
    }
    return true;
  }();
  const std::string triple = llvm::sys::getProcessTriple();
  std::string message;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target) throw std::runtime_error("LLVM has no code generator for this machine: " + message);
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, llvm::sys::getHostCPUName(), host_features(), llvm::TargetOptions{},
                                  llvm::Reloc::PIC_, llvm::CodeModel::Small, llvm::CodeGenOpt::Less));
}

struct CutAndNamed {
  const Kernel* kernel;
  CutKernel cut;
};

/// Adds a kernel to a module: its pieces, and under its own name the function that calls them in turn.
void add_kernel(llvm::Module& module, const Bindings& common, const CutAndNamed& source) {
  llvm::LLVMContext& context = module.getContext();
  const auto width = static_cast<unsigned>(source.kernel->width);
  llvm::Type* scalar = llvm::Type::getDoubleTy(context);
  llvm::Type* real = width == 1 ? scalar : llvm::FixedVectorType::get(scalar, width);
  llvm::Type* array = llvm::PointerType::getUnqual(scalar);
  llvm::Type* nothing = llvm::Type::getVoidTy(context);
  const auto declare = [&](const std::string& name, llvm::ArrayRef<llvm::Type*> types, auto linkage) {
    auto* function =
        llvm::Function::Create(llvm::FunctionType::get(nothing, types, false), linkage, name, module);
    function->setDoesNotThrow();
    for (unsigned i = 4; i < types.size(); ++i) function->addParamAttr(i, llvm::Attribute::NoAlias);
    return function;
  };

  auto* entry = declare(source.kernel->name, {width == 1 ? scalar : array, array, array, array, array},
                        llvm::Function::ExternalLinkage);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "", entry));
  std::vector<llvm::Value*> arguments;
  for (llvm::Argument& argument : entry->args()) arguments.push_back(&argument);
  if (width > 1) {
    llvm::Value* times = builder.CreateBitCast(arguments[0], llvm::PointerType::getUnqual(real));
    arguments[0] = builder.CreateAlignedLoad(real, times, llvm::Align(alignof(double)));
  }
  auto* workspace = builder.CreateAlloca(
      scalar, builder.getInt32(static_cast<unsigned>(width * (source.cut.spilled.size() + 1))));
  workspace->setAlignment(llvm::Align(sizeof(double) * width));
  arguments.push_back(workspace);
  for (const Piece& piece : source.cut.pieces) {
    auto* function = declare(source.kernel->name + ".piece", {real, array, array, array, array, array},
                             llvm::Function::InternalLinkage);
    emit_piece(*function, common, *source.kernel, source.cut, piece);
    builder.CreateCall(function, arguments);
  }
  builder.CreateRetVoid();
}

std::string emit_object(const Bindings& common, const std::vector<CutAndNamed>& kernels) {
  llvm::LLVMContext context;
  llvm::Module module("kinetune", context);
  const auto machine = make_target_machine();
  module.setTargetTriple(machine->getTargetTriple().str());
  module.setDataLayout(machine->createDataLayout());
  for (const CutAndNamed& kernel : kernels) add_kernel(module, common, kernel);

  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CGFT_ObjectFile)) {
    throw std::runtime_error("LLVM cannot write object files for this machine");
  }
  passes.run(module);
  return {object.begin(), object.end()};
}

/// Kernels in groups of about equal length.
std::vector<std::vector<CutAndNamed>> group(const KernelSet& set, const CompileOptions& options) {
  std::vector<std::vector<CutAndNamed>> groups(1);
  std::size_t operations = 0;
  for (const Kernel& kernel : set.kernels) {
    CutAndNamed next{&kernel, cut(kernel, options.max_operations_per_function)};
    std::size_t length = 0;
    for (const Piece& piece : next.cut.pieces) length += piece.operations.size();
    if (!groups.back().empty() && operations + length > operations_per_object) {
      groups.emplace_back();
      operations = 0;
    }
    operations += length;
    groups.back().push_back(std::move(next));
  }
  return groups;
}

}  // namespace

std::string host_cpu() { return llvm::sys::getHostCPUName().str() + " " + host_features(); }

int host_lanes() {
  llvm::StringMap<bool> features;
  llvm::sys::getHostCPUFeatures(features);
  const auto has = [&](std::initializer_list<const char*> names) {
    return std::ranges::all_of(names, [&](const char* name) { return features.lookup(name); });
  };
  // The instruction sets x86-64-v4 and -v3: what the integrator's loops are compiled for.
  if (has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})) return 8;
  return has({"avx2", "fma", "bmi2", "f16c"}) ? 4 : 1;
}

std::vector<std::string> emit_objects(const KernelSet& set, const CompileOptions& options) {
  const auto groups = group(set, options);
  std::vector<std::string> objects(groups.size());
  std::atomic<std::size_t> next = 0;
  std::vector<std::exception_ptr> failures(groups.size());
  const auto work = [&] {
    for (std::size_t i; (i = next++) < groups.size();) {
      try {
        objects[i] = emit_object(set.common, groups[i]);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    const std::size_t n_threads = std::min<std::size_t>(groups.size(), options.max_threads);
    for (std::size_t i = 1; i < n_threads; ++i) helpers.emplace_back(work);
    work();
  }
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return objects;
}

}  // namespace kinetune::jit
