// Memory of small tensors on the CPU. libtorch wants each at a multiple of 64 bytes, for which the C
// library searches and cuts its heap anew every time: at small sizes a tenth of a step. Here blocks of one
// size are cut at once and, given back, lie in a list for the next. What is larger is libtorch's to find.
#include "shim.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <sys/mman.h>

#include <array>
#include <atomic>

namespace {

// What libtorch aligns to; sizes go in steps of it, up to 4 kB.
constexpr size_t kStep = 64;
constexpr size_t kSizes = 64;
// A slab is cut into blocks of one size. All lie in one range of addresses, which costs nothing until it
// is used and tells a block from memory of other origin.
constexpr size_t kSlab = 1 << 16;
constexpr size_t kSlabs = 1 << 14;

struct Block {
  Block* next;
};

// Of every thread its own, so nothing locks. A block may be given back by another thread than took it.
thread_local std::array<Block*, kSizes> free_blocks;

char* range = nullptr;
std::array<uint8_t, kSlabs> size_of_slab;
std::atomic<size_t> slabs_taken{0};

void put(Block* block, size_t size) {
  block->next = free_blocks[size];
  free_blocks[size] = block;
}

void give_back(void* memory) {
  const auto offset = static_cast<size_t>(static_cast<char*>(memory) - range);
  if (memory != nullptr && offset < kSlab * kSlabs) {
    put(static_cast<Block*>(memory), size_of_slab[offset / kSlab]);
  } else {
    c10::GetDefaultCPUAllocator()->raw_deallocate(memory);
  }
}

// False when the range is used up.
bool cut(size_t size) {
  const size_t slab = slabs_taken.fetch_add(1, std::memory_order_relaxed);
  if (slab >= kSlabs) {
    slabs_taken.store(kSlabs, std::memory_order_relaxed);
    return false;
  }
  size_of_slab[slab] = static_cast<uint8_t>(size);
  const size_t length = (size + 1) * kStep;
  for (size_t at = 0; at + length <= kSlab; at += length) {
    put(reinterpret_cast<Block*>(range + slab * kSlab + at), size);
  }
  return true;
}

struct Small final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    const size_t size = (bytes - 1) / kStep;
    if (bytes == 0 || bytes > kSizes * kStep || (free_blocks[size] == nullptr && !cut(size))) {
      auto* from = c10::GetDefaultCPUAllocator();
      auto large = from->allocate(bytes);
      // oneDNN gives memory back by `raw_deleter`, so all memory has the one deleter.
      const bool changed = large.compare_exchange_deleter(from->raw_deleter(), give_back);
      TORCH_INTERNAL_ASSERT(changed);
      return large;
    }
    Block* block = free_blocks[size];
    free_blocks[size] = block->next;
    return {block, block, give_back, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override {
    return give_back;
  }

  void copy_data(void* to, const void* from, size_t count) const override {
    default_copy_data(to, from, count);
  }
};

} // namespace

void ky_keep_memory() {
  if (range != nullptr) {
    return;
  }
  void* found = mmap(
      nullptr, kSlab * kSlabs, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  // Without the addresses everything stays libtorch's.
  if (found != MAP_FAILED) {
    range = static_cast<char*>(found);
    // Never freed: tensors outlive everything.
    c10::SetCPUAllocator(new Small, /*priority=*/1);
  }
}
