//! The parts of a pipeline, field by field.

use std::sync::Arc;

use kyobashi_stage::{Field, Model, Names, Port, Shape, Signature, Type};

use super::super::{
    AtMax, Axis, Binary, Binding, Budget, CachePolicy, Carry, Expression, Fan, Function,
    Generation, OnError, OnUnpriced, Param, Parts, Place, Places, Policy, Pool, ProviderEntry,
    Reference, Resources, Root, Secret, Spec, Stage, StageId, Step, Template, TextPart, Work,
};
use super::{Packed, Reader, Writer, form, forms};

form!(Spec {
    name,
    doc,
    file,
    params,
    models,
    providers,
    secrets,
    budget,
    shapes,
    stages,
    top,
    outputs,
    pools,
    generations,
    places
});
form!(Generation {
    stage,
    sample,
    generation,
    newest
});
form!(Budget {
    usd,
    calls,
    on_unpriced
});
form!(Param { ty, value });
form!(Secret { env, optional });
form!(ProviderEntry {
    base_url,
    key_env,
    dialect,
    identity,
    api_version,
    auth,
    at_once,
    rpm,
    tpm,
    timeout,
    tries,
    longest_wait,
    patience
});
form!(Place { file, line, col });
impl Packed for Parts {
    fn put(&self, to: &mut Writer) {
        super::apart(self.all()).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let count = from.count()?;
        Some(Self::from_packed(from.bytes(count)?.to_vec()))
    }
}

form!(Places {
    stages,
    parts,
    names
});
form!(Stage {
    id,
    name,
    path,
    fan,
    work,
    when,
    needs,
    policy
});
form!(Axis { name, values });
form!(Carry {
    name,
    ty,
    first,
    next
});
form!(Binding { name, ty, value });
form!(Policy {
    on_error,
    may_fail,
    cache,
    version,
    retries,
    timeout,
    resources,
    secrets,
    tags,
    doc
});
form!(Reference { root, steps });
form!(Port {
    name,
    ty,
    doc,
    default,
    names
});
form!(Model {
    provider,
    id,
    endpoint,
    settings
});
form!(Shape { fields, open });
form!(Field {
    ty,
    min,
    max,
    choices
});

/// What equal neighbours share: written once, then as the same again.
macro_rules! shared {
    ($($own:ident: $name:ty;)*) => {
        $(impl Packed for Arc<$name> {
            fn put(&self, to: &mut Writer) {
                let again = to.$own.again(self);
                again.put(to);
                if !again {
                    self.as_ref().put(to);
                }
            }

            fn take(from: &mut Reader<'_>) -> Option<Self> {
                if bool::take(from)? {
                    return from.$own.last();
                }
                let own = <$name>::take(from)?;
                Some(from.$own.of(own))
            }
        })*
    };
}
shared! { fans: Fan; policies: Policy; ports: Vec<Port>; }

forms!(Fan {
    0 Once;
    1 Matrix { axes, exclude, include };
    2 Foreach { variable, list, key };
    3 Repeat { max, until, at_max, carry };
});
forms!(OnUnpriced { 0 Refuse; 1 Allow; });
forms!(AtMax { 0 Keep; 1 Fail; });
forms!(OnError { 0 Fail; 1 Continue; });
forms!(CachePolicy { 0 Auto; 1 Never; 2 Frozen; });
forms!(Pool { 0 Sum(size); 1 Indexed(names); });
forms!(Work {
    0 Run { script, shell, ins, with, env, outs };
    1 Uses { signature, ins, with, model, outs };
    2 Group { inputs, stages, out };
});
forms!(Template {
    0 Literal(value);
    1 Path(path, ty);
    2 Expression(expression);
    3 Text(parts);
    4 List(items);
    5 Map(entries);
});
forms!(TextPart { 0 Text(text); 1 Expression(expression); });
forms!(Expression {
    0 Literal(value);
    1 Reference(reference);
    2 Not(inner);
    3 Minus(inner);
    4 Binary(operator, left, right);
    5 Call(function, arguments);
});
forms!(Root {
    0 Param(name);
    1 Model(name);
    2 Input(name);
    3 Variable(name);
    4 Carry(name);
    5 Output(stage, name);
});
forms!(Step { 0 Field(name); 1 Index(index); 2 Each; });
forms!(Binary {
    0 Add; 1 Subtract; 2 Multiply; 3 Divide; 4 Less; 5 LessOrEqual; 6 Greater; 7 GreaterOrEqual;
    8 Equal; 9 NotEqual; 10 In; 11 And; 12 Or;
});
forms!(Function {
    0 Len; 1 Range; 2 Min; 3 Max; 4 Mean; 5 Round; 6 Contains; 7 StartsWith; 8 EndsWith; 9 Lower;
    10 Slug; 11 If; 12 Default; 13 Concat;
});
forms!(Names { 0 AxesOf(name); 1 FieldsOf(name); 2 ColumnsOf(name); 3 ColumnsOr(name, columns); });
forms!(Type {
    0 Any; 1 Bool; 2 Int; 3 Float; 4 Str; 5 Text; 6 Json; 7 Named(name); 8 Table(columns);
    9 File(extension); 10 Dir; 11 Model; 12 List(inner); 13 Optional(inner); 14 Grid(inner, axes);
});

impl Packed for StageId {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Packed::take(from).map(Self)
    }
}

impl Packed for Resources {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Packed::take(from).map(Self)
    }
}

impl Packed for Arc<Signature> {
    fn put(&self, to: &mut Writer) {
        self.name.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let name = String::take(from)?;
        if let Some(known) = from.used.get(&name) {
            return Some(Arc::clone(known));
        }
        let signature = Arc::new(from.signatures.get(&name)?.clone());
        from.used.insert(name, Arc::clone(&signature));
        Some(signature)
    }
}
