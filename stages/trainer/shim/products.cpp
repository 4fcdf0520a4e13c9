// Products of matrices. libtorch gives them to MKL, which on processors of other makers than its own
// keeps to 256-bit vectors; the oneDNN in the same library does not. Where the processor has AVX-512 and
// is not Intel's, large products of f32 go to oneDNN: half the time, other last bits. `kyo` tells the two
// apart in the key of a training (`surroundings::machine`).
#include "shim.h"

#include <ATen/CPUFunctions.h>
#include <ATen/Context.h>
#include <ATen/EmptyTensor.h>
#include <c10/util/Exception.h>
#include <torch/library.h>

#include <algorithm>

namespace at::native {
// Exported by libtorch, though in none of its headers: result = alpha * one @ two + beta * result.
void mkldnn_matmul(const Tensor& one, const Tensor& two, const Tensor& result, float beta, float alpha);
} // namespace at::native

namespace {

// Below so many multiplications oneDNN's start of some 13 us costs more than it saves.
constexpr int64_t kLeast = 1 << 21;
// A side this short fills no register.
constexpr int64_t kShortest = 16;

bool large(const at::Tensor& one, const at::Tensor& two) {
  if (one.scalar_type() != at::kFloat || two.scalar_type() != at::kFloat || one.dim() != 2 ||
      two.dim() != 2 || one.size(1) != two.size(0)) {
    return false;
  }
  const auto rows = one.size(0), inner = one.size(1), columns = two.size(1);
  return std::min({rows, inner, columns}) >= kShortest && rows * inner * columns >= kLeast;
}

at::Tensor mm(const at::Tensor& one, const at::Tensor& two) {
  if (!large(one, two)) {
    return at::cpu::mm(one, two);
  }
  at::Tensor result = at::detail::empty_cpu({one.size(0), two.size(1)}, one.options());
  at::native::mkldnn_matmul(one, two, result, /*beta=*/0, /*alpha=*/1);
  return result;
}

at::Tensor addmm(
    const at::Tensor& bias,
    const at::Tensor& one,
    const at::Tensor& two,
    const at::Scalar& beta,
    const at::Scalar& alpha) {
  // What a linear layer asks for: a bias for every column, and nothing scaled.
  const bool plain = bias.dim() == 1 && bias.scalar_type() == at::kFloat && bias.is_contiguous() &&
      beta.equal(1) && alpha.equal(1);
  if (!plain || !large(one, two) || bias.size(0) != two.size(1)) {
    return at::cpu::addmm(bias, one, two, beta, alpha);
  }
  at::Tensor result = at::detail::empty_cpu({one.size(0), two.size(1)}, one.options());
  at::native::mkldnn_matmul(one, two, result, /*beta=*/0, /*alpha=*/1);
  at::cpu::add_(result, bias);
  return result;
}

// libtorch warns when its own kernel is replaced, which is the purpose here.
struct Silence : c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

bool wanted() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      !__builtin_cpu_is("intel") && at::globalContext().hasMKL() && at::globalContext().hasMKLDNN();
#else
  return false;
#endif
}

} // namespace

extern "C" {

// Once in a process, before anything is computed. Whether large products go to oneDNN from now on.
char* ky_products(bool* out) {
  return ky_try([&] {
    *out = wanted();
    if (!*out) {
      return;
    }
    Silence silence;
    c10::WarningUtils::WarningHandlerGuard guard(&silence);
    // Never freed: the kernels stay for the life of the process.
    auto kernels = new torch::Library(
        torch::Library::IMPL, "aten", c10::DispatchKey::CPU, __FILE__, __LINE__);
    kernels->impl("mm", mm);
    kernels->impl("addmm", addmm);
  });
}

} // extern "C"
