//! A tiny interpreter: it's got lifetimes, raw strings and "macros".

use std::collections::HashMap;
use std::fmt::{self, Display};

/// A value; `don't` compare with ==.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    Number(f64),
    Text(&'a str),
    List(Vec<Value<'a>>),
    Nothing,
}

/* A block comment /* with another "inside" */ and more 'text */
const RAW: &str = r#"a "raw" string with \ and 'quotes' // no comment"#;
const DEEP: &str = r##"ends with "# not here"##;
static BYTES: &[u8] = b"bytes \" and \x00";
const QUOTE: char = '\'';
const BACK: char = '\\';
const UNICODE: char = '\u{1F600}';
const LETTER: u8 = b'a';

macro_rules! list {
    ($($x:expr),* $(,)?) => {{
        let mut out = Vec::new();
        $(out.push($x);)*
        out
    }};
}

pub trait Eval<'a> {
    type Output;
    fn eval(&self, env: &mut Env<'a>) -> Result<Self::Output, Error>;
    fn name(&self) -> &'static str { "eval" }
}

#[derive(Default)]
pub struct Env<'a> {
    names: HashMap<&'a str, Value<'a>>,
    depth: usize,
}

#[derive(Debug)]
pub enum Error {
    Unknown(String),
    Depth { limit: usize },
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unknown(name) => write!(f, "unknown name '{}'", name),
            Error::Depth { limit } => write!(f, "deeper than {limit}"),
        }
    }
}

impl<'a> Env<'a> {
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.names.get(name)
    }

    pub fn set(&mut self, name: &'a str, value: Value<'a>) -> &mut Self {
        self.names.insert(name, value);
        self
    }
}

impl<'a> Eval<'a> for Value<'a> {
    type Output = Value<'a>;

    fn eval(&self, env: &mut Env<'a>) -> Result<Value<'a>, Error> {
        env.depth += 1;
        if env.depth > 100 {
            return Err(Error::Depth { limit: 100 });
        }
        let result = match self {
            Value::Text(name) if name.starts_with('$') => env
                .get(&name[1..])
                .cloned()
                .ok_or_else(|| Error::Unknown(name.to_string()))?,
            Value::List(items) => {
                let mut out = vec![];
                'outer: for item in items {
                    if let Value::Nothing = item {
                        continue 'outer;
                    }
                    out.push(item.eval(env)?);
                }
                Value::List(out)
            }
            other => other.clone(),
        };
        env.depth -= 1;
        Ok(result)
    }
}

fn longest<'x>(a: &'x str, b: &'x str) -> &'x str {
    if a.len() > b.len() { a } else { b }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut env = Env::default();
    env.set("x", Value::Number(1.5e3)).set("y", Value::Text("a
multi-line string"));
    let values = list![Value::Text("$x"), Value::Nothing];
    let total: u32 = (0..10).filter(|n| n % 2 == 0).map(|n| n << 1).sum();
    let tuple = (1_000u64, 'x', longest("a", RAW), DEEP.len(), BYTES[0] == LETTER);
    println!("{:?} {total:>5} {}", tuple, [QUOTE, BACK, UNICODE].len());
    let Value::List(_) = Value::List(values).eval(&mut env).map_err(|e| e.to_string())? else {
        panic!("no list");
    };
    Ok(())
}
