//! Traits that take "one, or a tuple of them" are implemented for tuples by one macro.

/// Calls a macro once for each arity from 1 to 12 with `(Type Position index)` per element:
/// a type parameter, a second one for what must be inferred beside it, and the field.
macro_rules! for_tuples {
    ($callback:ident) => {
        for_tuples!($callback: []
            (A AtA 0) (B AtB 1) (C AtC 2) (D AtD 3) (E AtE 4) (F AtF 5)
            (G AtG 6) (H AtH 7) (I AtI 8) (J AtJ 9) (K AtK 10) (L AtL 11));
    };
    ($callback:ident: [$($done:tt)*]) => {};
    ($callback:ident: [$($done:tt)*] $next:tt $($rest:tt)*) => {
        $callback!($($done)* $next);
        for_tuples!($callback: [$($done)* $next] $($rest)*);
    };
}
