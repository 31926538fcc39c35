//! Secrets held against a JSON Schema, and as a type of your own.

mod assemble;
mod branching;
mod check;
mod coerce;
mod depth;
mod deserialize;
mod example;
mod file;
mod json;
mod messages;
mod name_map;
mod names;
mod normalize;
mod one_of;
mod report;
mod schema_view;
mod tree;
mod typed;
#[cfg(any(feature = "figment", feature = "config"))]
mod typed_layer;
mod validator;
mod validators;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::core::snapshot::Secrets;
use crate::core::{ErrorKind, XtraError};
use assemble::Assembly;
use deserialize::{Effort, Step, What};
use name_map::NameMap;
use schema_view::SchemaView;
use validators::Validators;

pub use example::{Example, example};
pub use report::{SchemaProblem, SchemaReport};
pub(crate) use tree::Tree;
pub use typed::ReadAs;

/// A JSON Schema that secrets can be held against: of a type, or from a file.
///
/// [`Secrets::parse`] tells how a secret is found for a property, and how its text is read. The schema must describe an
/// object. Its references may lead within it (`#/…`) only: nothing is ever fetched. Drafts 4 to 2020-12 are known by
/// `$schema`; without it, 2020-12. Formats (`uri`, `email`, `ipv4`, `date-time` …) are checked.
///
/// Clones share one schema. Making one takes longer than using it.
///
/// ```
/// use xtrasecurity::{Schema, Secrets};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let schema = Schema::from_json(r#"{
///     "type": "object",
///     "properties": {
///         "port": { "type": "integer", "maximum": 65535, "description": "the port to listen on" },
///         "database_url": { "type": "string", "format": "uri" }
///     },
///     "required": ["port", "database_url"]
/// }"#)?;
/// let report = Secrets::from_iter([("PORT", "80800")]).check_schema(&schema);
/// assert_eq!(report.missing()[0].name(), "DATABASE_URL");
/// assert_eq!(report.invalid()[0].to_string(), "PORT is more than 65535 (the port to listen on)");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Schema(Arc<Inner>);

struct Inner {
    json: Value,
    /// The validators, or why there are none.
    validators: Result<Validators, String>,
}

/// What a check asks for beyond the schema.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Strictness {
    /// Names that feed nothing are a failure.
    pub(crate) deny_unexpected: bool,
}

impl Schema {
    /// The schema of a type that derives [`JsonSchema`], as its `Deserialize` reads it.
    ///
    /// Durations are described as the texts that they are written as, and integers have the bounds of their types. When the
    /// schema cannot be used (an attribute gave it a pattern that is none, or the type is no struct and no map), each
    /// check says so.
    #[must_use]
    pub fn of<T: JsonSchema + ?Sized>() -> Self {
        let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let mut json = generator.into_root_schema_for::<T>().to_value();
        normalize::normalize(&mut json);
        Self::compile(json)
    }

    /// The schema in a JSON text of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the text is no JSON (with line and column), no JSON Schema, describes something other than
    /// an object, or refers to another document, in a circle or to nothing.
    pub fn from_json(text: &str) -> Result<Self, XtraError> {
        let schema = Self::compile(file::parse(text)?);
        match &schema.0.validators {
            Ok(_) => Ok(schema),
            Err(defect) => Err(XtraError::new(ErrorKind::Config, format!("the schema {defect}"))),
        }
    }

    /// The schema in a file of at most 1 MiB. The file is read at once, on the caller's thread.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json), and [`ErrorKind::Config`] when there is no such file or it cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, XtraError> {
        Self::from_json(&file::read(path.as_ref())?)
    }

    /// A file to fill in, and the schema as text.
    #[must_use]
    pub fn example(&self) -> Example {
        Example::of(&self.0.json)
    }

    fn compile(json: Value) -> Self {
        let validators = Validators::of(&json);
        Self(Arc::new(Inner { json, validators }))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.0.json.get("title").and_then(Value::as_str);
        f.debug_struct("Schema").field("title", &title).finish_non_exhaustive()
    }
}

impl Secrets {
    /// These secrets as a type of your own, which derives [`Deserialize`](serde::Deserialize) and [`JsonSchema`].
    ///
    /// # Which secret feeds a field
    ///
    /// For a field `database_url` the secret `database_url` or `DATABASE_URL`; `databaseUrl` and `database-url` read as
    /// `DATABASE_URL` too. Renames and `rename_all` count; an `alias` does not, because schemas do not show it: a secret of that
    /// name feeds nothing.
    ///
    /// A field that is a struct, `database` with `url` and `pool.size`, comes from
    ///
    /// - `DATABASE__URL` and `DATABASE__POOL__SIZE`, with two underscores between the levels (up to six of them),
    /// - `DATABASE_URL` and `DATABASE_POOL_SIZE`, as long as no other field has that name, or
    /// - `DATABASE`, which holds the whole as JSON. A struct within itself (a tree, a list) comes so from there on.
    ///
    /// A map `labels` comes from `LABELS__team`, which is the part `team`, or from `LABELS` as JSON. A flattened map takes
    /// every secret that nothing else takes. When two secrets could feed one field, or one could feed two, that is a problem
    /// that names them: nothing is guessed. An empty struct or `Option` is made of no secrets at all.
    ///
    /// # How its text is read
    ///
    /// The type decides, never the look of the text.
    ///
    /// | type | text |
    /// |---|---|
    /// | `String`, `SecretValue`, `PathBuf` … | taken as it is: `00123`, `true` and `1e5` stay texts |
    /// | integers | decimal, 64 bits at most, exactly; white space around it is ignored |
    /// | `f32`, `f64` | decimal, also `1e-3`; no `NaN`, no infinity |
    /// | `bool` | `true`, `1`, `yes`, `on`; `false`, `0`, `no`, `off`; in any case |
    /// | `Duration` | with a unit: `500ms`, `30s`, `1h 30m`. A bare number is refused, as its unit would be a guess |
    /// | enum of names | the name, in its case |
    /// | enum with data | the name, or JSON: `{"File":{"path":"/x"}}`; a tagged one also by parts, as a struct |
    /// | `untagged` enum | a text when one of its forms is a text, else as the form that fits |
    /// | `Option` | as what is inside. No secret is `None`; so is an empty text, except where that is a text of its own |
    /// | `Vec` of scalars | a JSON list, or separated by commas: `a, b, c`; an empty text is an empty list |
    /// | other lists, structs, maps | JSON |
    /// | other types (`IpAddr`, `Uuid` …) | by their own `Deserialize`, from the text |
    ///
    /// Within JSON, values have JSON's own types; durations are texts there too. A name that comes twice in an object is refused.
    ///
    /// A field with `#[serde(with = "…")]` or `deserialize_with` is still described by its type. When something else is
    /// written there, `#[schemars(with = "u64")]` says what. A `Duration` that such code reads from a text gets its text.
    ///
    /// What the schema says beyond the type is checked: `#[schemars(range(min = 1))]`, `length`, `regex`, `email`, `url`,
    /// `extend("format" = "uri")` and so on.
    ///
    /// # Secrets within
    ///
    /// Give passwords the type [`SecretValue`](crate::SecretValue), so that the struct's own `Debug` does not show them. What
    /// is put together on the way is wiped; what other types copy is theirs.
    ///
    /// # Errors
    ///
    /// One error for everything that is wrong, with what each setting is for (its doc comment) and no value:
    /// [`ErrorKind::MissingSecret`] when names are missing and nothing else is wrong, else [`ErrorKind::Invalid`];
    /// [`names`](XtraError::names) lists the names. What only the type's own code refuses is found once the rest is right, and
    /// is told a top-level field at a time, as many as can be found by reading some megabytes. A `pattern` that looks around or
    /// refers back has an end to its search: a value that is too long for it is refused with that reason.
    /// [`ErrorKind::Config`] when the type has no usable schema.
    ///
    /// ```
    /// use std::time::Duration;
    /// use serde::Deserialize;
    /// use xtrasecurity::schemars::{self, JsonSchema};
    /// use xtrasecurity::{SecretValue, Secrets};
    ///
    /// #[derive(Debug, Deserialize, JsonSchema)]
    /// struct Settings {
    ///     /// where the database is
    ///     database_url: SecretValue,
    ///     /// the port to listen on
    ///     #[serde(default = "port")]
    ///     port: u16,
    ///     timeout: Option<Duration>,
    /// }
    /// # fn port() -> u16 { 8080 }
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let secrets = Secrets::from_iter([("DATABASE_URL", "postgres://db"), ("TIMEOUT", "1m 30s")]);
    /// let settings: Settings = secrets.parse()?;
    /// assert_eq!(settings.port, 8080);
    /// assert_eq!(settings.timeout, Some(Duration::from_secs(90)));
    ///
    /// let error = Secrets::from_iter([("PORT", "http")]).parse::<Settings>().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "2 of 3 settings are wrong: DATABASE_URL is missing (where the database is); \
    ///      PORT is not an integer (the port to listen on)"
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub fn parse<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, XtraError> {
        self.parse_strictly(Strictness::default())
    }

    pub(crate) fn parse_strictly<T: DeserializeOwned + JsonSchema>(
        &self,
        strictness: Strictness,
    ) -> Result<T, XtraError> {
        let schema = Schema::of::<T>();
        let name_map = NameMap::of(&schema.0.json);
        let (mut assembly, mut tree) = self.assemble_by(&schema, &name_map, strictness)?;
        if assembly.report.is_valid() {
            let whole = SchemaView::of(name_map.root(), [name_map.root()]);
            coerce::spell_out_durations(name_map.root(), &whole, &mut tree.0, normalize::spelled_out_with_text);
            if let Some(value) = build(&mut assembly, &name_map, &mut tree) {
                return Ok(value);
            }
        }
        let report = assembly.report.in_order();
        report.clone().into_result().map_err(|error| {
            let is_left = |name: &str| report.unexpected().iter().any(|unexpected| unexpected.name() == name);
            self.where_missing(error, report.missing().iter().map(SchemaProblem::name), is_left)
        })?;
        Err(XtraError::new(ErrorKind::Invalid, "the settings are refused by their type"))
    }

    /// Holds these secrets against the schema of a type, without making it. What only the type's own `Deserialize` refuses
    /// is therefore not found; [`parse`](Self::parse) finds it.
    ///
    /// ```
    /// use xtrasecurity::schemars::{self, JsonSchema};
    /// use xtrasecurity::Secrets;
    ///
    /// #[derive(JsonSchema)]
    /// struct Settings {
    ///     /// the port to listen on
    ///     port: u16,
    /// }
    ///
    /// let report = Secrets::from_iter([("PROT", "8080")]).check::<Settings>();
    /// assert!(!report.is_valid());
    /// assert_eq!(report.missing()[0].to_string(), "PORT is missing (the port to listen on)");
    /// assert_eq!(report.unexpected()[0].name(), "PROT");
    /// ```
    #[must_use]
    pub fn check<T: JsonSchema + ?Sized>(&self) -> SchemaReport {
        self.check_schema(&Schema::of::<T>())
    }

    /// Holds these secrets against a schema. Names that the schema does not know are listed, and are a failure only where it
    /// says `additionalProperties: false`.
    #[must_use]
    pub fn check_schema(&self, schema: &Schema) -> SchemaReport {
        let name_map = NameMap::of(&schema.0.json);
        match self.assemble_by(schema, &name_map, Strictness::default()) {
            Ok((assembly, _)) => assembly.report.in_order(),
            Err(_) => SchemaReport::defect(schema.0.validators.as_ref().err().cloned().unwrap_or_default()),
        }
    }

    /// The tree that these secrets make, and what is wrong with it.
    fn assemble_by<'a, 's>(
        &'a self,
        schema: &Schema,
        name_map: &'a NameMap<'s>,
        strictness: Strictness,
    ) -> Result<(Assembly<'a, 's>, Tree), XtraError> {
        let validators = match &schema.0.validators {
            Ok(validators) => validators,
            Err(defect) => return Err(XtraError::new(ErrorKind::Config, format!("the schema {defect}"))),
        };
        let (mut assembly, tree) = Assembly::of(name_map, self);
        check::validate(&mut assembly, name_map, validators, &tree.0);
        if strictness.deny_unexpected || name_map.field(0).is_some_and(|whole| whole.view.is_closed()) {
            assembly.report.close();
        }
        Ok((assembly, tree))
    }
}

/// Makes the type, or reports every top-level property that it refuses.
///
/// A type tells one refusal at a time. So what it refused is taken out and it is tried again: serde reads all properties
/// before it looks for those that are absent, so the next refusal comes first. It ends when a refusal is of what was taken out,
/// or when the type has read as much as it may for this.
fn build<T: DeserializeOwned>(assembly: &mut Assembly<'_, '_>, name_map: &NameMap<'_>, tree: &mut Tree) -> Option<T> {
    let (mut is_first, mut effort) = (true, Effort::of(&tree.0));
    loop {
        let trouble = match deserialize::from_tree::<T>(&tree.0) {
            Ok(value) if is_first => return Some(value),
            Ok(_) => return None,
            Err(trouble) => deserialize::locate::<T>(&tree.0, trouble, &mut effort),
        };
        let property = match trouble.path.first() {
            Some(Step::Key(property)) => property.clone(),
            // of the whole: after something was taken out, that may be why
            _ if !is_first => return None,
            _ => {
                check::refuse(assembly, name_map, &trouble);
                return None;
            }
        };
        let is_consequence = !is_first && matches!(trouble.what, What::Missing(_)) && trouble.path.len() <= 1;
        if is_consequence {
            return None;
        }
        check::refuse(assembly, name_map, &trouble);
        is_first = false;
        if !effort.allows(1) {
            return None;
        }
        let taken = tree.0.as_object_mut().and_then(|map| map.remove(&property));
        match taken {
            Some(value) => drop(Tree(value)),
            None => return None,
        }
    }
}
