// The seam between Rust and what tch does not bind: TorchScript programs, fused optimisers, lists of
// tensors. Every function that can fail returns null, or an error text that the caller frees with
// `ky_text_free`. A `tensor` is tch's: a pointer to a heap-allocated `at::Tensor`.
#pragma once

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/frontend/tree_views.h>

#include <ATen/ATen.h>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

typedef at::Tensor* tensor;

// What the names of a program mean: `torch`, `math`, `F` (names.cpp).
torch::jit::ResolverPtr ky_names();

// A program's text, parsed and then compiled.
struct KyProgram {
  std::vector<torch::jit::Def> definitions;
  std::shared_ptr<torch::jit::CompilationUnit> unit;
};

// A value of a program: a tensor, a number, a dictionary.
struct KyValue {
  c10::IValue value;
};

namespace torch::autograd {
struct Node;
} // namespace torch::autograd

// Tensors that are handled together, so that a step crosses the seam once per operation.
struct KyList {
  std::vector<at::Tensor> tensors;
  // Of gradients: what each is still to be multiplied by. Gradients of two parameters may be one tensor,
  // so they are not changed in place.
  double factor = 1;
  // Of parameters: where their gradients arrive (backward.cpp).
  mutable std::vector<std::shared_ptr<torch::autograd::Node>> leaves;
};

// The settings of one step of Adam.
struct KyAdam {
  double lr;
  double beta1;
  double beta2;
  double weight_decay;
  double epsilon;
  bool decoupled;
};

// Small tensors of the CPU lie in memory that is kept (memory.cpp); for the process, more than once harms nothing.
void ky_keep_memory();
// The gradients of `loss`, undefined where it does not depend on a parameter; false, and nothing done, if
// that is left to libtorch's engine (backward.cpp).
bool ky_backward(const at::Tensor& loss, const KyList& parameters, std::vector<at::Tensor>& found);
// Whether all are f32 on the CPU, which is what the functions below take (update.cpp).
bool ky_plain(const std::vector<at::Tensor>& tensors);
// The Euclidean norm of all together; makes them contiguous.
double ky_plain_norm(std::vector<at::Tensor>& tensors);
// The sum of the squares of `count` numbers.
double ky_plain_squares(const float* numbers, int64_t count);
// One step of Adam; everything but the gradients is contiguous.
void ky_plain_adam(
    std::vector<at::Tensor>& parameters,
    const KyList& gradients,
    std::vector<at::Tensor>& first,
    std::vector<at::Tensor>& second,
    std::vector<at::Tensor>& steps,
    const KyAdam& with);

inline char* ky_text(const std::string& text) {
  char* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy != nullptr) {
    std::memcpy(copy, text.c_str(), text.size() + 1);
  }
  return copy;
}

// Runs `work`; null if it succeeded, else the text of its exception.
template <typename Work>
char* ky_try(Work work) {
  try {
    work();
    return nullptr;
  } catch (const c10::Error& error) {
    return ky_text(error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return ky_text("out of memory");
  } catch (const std::exception& error) {
    return ky_text(error.what());
  } catch (...) {
    return ky_text("an exception without a text");
  }
}
