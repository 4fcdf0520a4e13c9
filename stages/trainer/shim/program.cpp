// Programs: compile the text, list its functions and their operations after inlining, call one.
#include "shim.h"

#include <torch/csrc/jit/frontend/error_report.h>
#include <torch/csrc/jit/frontend/parser.h>
#include <torch/csrc/jit/frontend/resolver.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <functional>

using namespace torch::jit;

namespace {

void walk(Block* block, const std::function<void(Node*)>& see) {
  for (Node* node : block->nodes()) {
    see(node);
    for (Block* inner : node->blocks()) {
      walk(inner, see);
    }
  }
}

void named(const TreeRef& tree, const std::function<void(const Ident&, bool)>& see) {
  if (tree->kind() == '.') {
    see(Select(tree).selector(), true);
  } else if (tree->kind() == TK_VAR) {
    see(Var(tree).name(), false);
  }
  for (const auto& inner : tree->trees()) {
    named(inner, see);
  }
}

c10::Dict<std::string, at::Tensor> tensors_of(const KyValue* value) {
  return c10::impl::toTypedDict<std::string, at::Tensor>(value->value.toGenericDict());
}

} // namespace

extern "C" {

void ky_text_free(char* text) {
  std::free(text);
}

// `sees_function(context, name)`, then for this function `sees_argument(context, name, type)`,
// `sees_argument(context, "", return type)`, and `sees_operation(context, operation, line, column)`
// (both from 1; 0 = unknown) for every operation after inlining.
typedef void (*SeesFunction)(void*, const char*);
typedef void (*SeesArgument)(void*, const char*, const char*);
typedef void (*SeesOperation)(void*, const char*, uint64_t, uint64_t);

char* ky_program_parse(const char* text, const char* file, KyProgram** out) {
  return ky_try([&] {
    auto source = std::make_shared<Source>(std::string(text), std::string(file), 1);
    Parser parser(source);
    auto program = std::make_unique<KyProgram>();
    while (parser.lexer().cur().kind != TK_EOF) {
      program->definitions.push_back(Def(parser.parseFunction(/*is_method=*/false)));
    }
    *out = program.release();
  });
}

// Every operation that the text names as `something.operation`, used or not, and `getattr`, which
// could name any. Compiling already computes what depends on constants alone, so this comes before.
char* ky_program_named(KyProgram* program, void* context, SeesOperation sees_operation) {
  return ky_try([&] {
    for (const auto& definition : program->definitions) {
      named(definition.tree(), [&](const Ident& name, bool after_dot) {
        std::string operation = after_dot ? "aten::" + name.name() : name.name();
        if (after_dot ? getAllOperatorsFor(c10::Symbol::fromQualString(operation)).empty()
                      : operation != "getattr") {
          return;
        }
        auto place = name.range().file_line_col();
        uint64_t line = place ? std::get<1>(*place) : 0;
        uint64_t column = place ? std::get<2>(*place) + 1 : 0;
        sees_operation(context, operation.c_str(), line, column);
      });
    }
  });
}

char* ky_program_define(KyProgram* program) {
  return ky_try([&] {
    std::vector<ResolverPtr> resolvers(program->definitions.size(), ky_names());
    program->unit = std::make_shared<CompilationUnit>();
    program->unit->define(std::nullopt, {}, {}, program->definitions, resolvers, nullptr);
  });
}

void ky_program_free(KyProgram* program) {
  delete program;
}

char* ky_program_walk(
    KyProgram* program,
    void* context,
    SeesFunction sees_function,
    SeesArgument sees_argument,
    SeesOperation sees_operation) {
  return ky_try([&] {
    for (Function* function : program->unit->get_functions()) {
      sees_function(context, function->name().c_str());
      const auto& schema = function->getSchema();
      for (const auto& argument : schema.arguments()) {
        sees_argument(
            context, argument.name().c_str(), argument.type()->annotation_str().c_str());
      }
      for (const auto& result : schema.returns()) {
        sees_argument(context, "", result.type()->annotation_str().c_str());
      }
      auto graph = toGraphFunction(*function).graph()->copy();
      Inline(*graph);
      walk(graph->block(), [&](Node* node) {
        uint64_t line = 0;
        uint64_t column = 0;
        if (auto place = node->sourceRange().file_line_col()) {
          line = std::get<1>(*place);
          column = std::get<2>(*place) + 1;
        }
        sees_operation(context, node->kind().toQualString(), line, column);
      });
    }
  });
}

char* ky_call(
    KyProgram* program,
    const char* name,
    KyValue** arguments,
    size_t count,
    KyValue** out) {
  return ky_try([&] {
    Stack stack;
    stack.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      stack.push_back(arguments[i]->value);
    }
    *out = new KyValue{program->unit->get_function(name)(std::move(stack))};
  });
}

KyValue* ky_value_integer(int64_t number) {
  return new KyValue{c10::IValue(number)};
}

KyValue* ky_value_flag(bool flag) {
  return new KyValue{c10::IValue(flag)};
}

KyValue* ky_value_text(const char* text) {
  return new KyValue{c10::IValue(std::string(text))};
}

KyValue* ky_value_numbers() {
  return new KyValue{c10::IValue(c10::Dict<std::string, double>())};
}

KyValue* ky_value_tensors() {
  return new KyValue{c10::IValue(c10::Dict<std::string, at::Tensor>())};
}

// Dictionaries are shared: a program sees later insertions, and the caller sees the program's.
char* ky_value_put_number(KyValue* dictionary, const char* key, double number) {
  return ky_try([&] {
    c10::impl::toTypedDict<std::string, double>(dictionary->value.toGenericDict())
        .insert_or_assign(key, number);
  });
}

char* ky_value_put_tensor(KyValue* dictionary, const char* key, tensor value) {
  return ky_try([&] { tensors_of(dictionary).insert_or_assign(key, *value); });
}

char* ky_value_tensor(const KyValue* value, tensor* out) {
  return ky_try([&] { *out = new at::Tensor(value->value.toTensor()); });
}

char* ky_value_double(const KyValue* value, double* out) {
  return ky_try([&] { *out = value->value.toDouble(); });
}

// The entries of a dictionary of tensors or of numbers, in the order in which they were inserted.
char* ky_value_tensor_entries(
    const KyValue* value,
    void* context,
    void (*sees)(void*, const char*, tensor)) {
  return ky_try([&] {
    for (const auto& entry : tensors_of(value)) {
      sees(context, entry.key().c_str(), new at::Tensor(entry.value()));
    }
  });
}

char* ky_value_number_entries(
    const KyValue* value,
    void* context,
    void (*sees)(void*, const char*, double)) {
  return ky_try([&] {
    auto dictionary =
        c10::impl::toTypedDict<std::string, double>(value->value.toGenericDict());
    for (const auto& entry : dictionary) {
      sees(context, entry.key().c_str(), entry.value());
    }
  });
}

void ky_value_free(KyValue* value) {
  delete value;
}

} // extern "C"
