//! Options that are passed on to the async twin, a line each.

/// Methods that take `self`, call the method of the same name on the async twin inside, and give `Self` back. The async
/// method documents the option in full; the line here says what it is.
macro_rules! options {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            $(#[$doc])*
            #[doc = concat!("\nThe same as `", stringify!($name), "` of the async twin.")]
            pub fn $name(self $(, $argument: $type)*) -> Self {
                Self(self.0.$name($($argument),*))
            }
        )*
    };
}

pub(crate) use options;
