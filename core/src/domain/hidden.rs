//! Types that hold personal data show none of it for debugging: whatever is logged or asserted on cannot give it away.

/// Gives types a `Debug` that shows their names alone.
macro_rules! hide {
    ($($name:ident),+ $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )+};
}

pub(crate) use hide;
