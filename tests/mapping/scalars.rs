//! Numbers, texts, bytes and the scalars behind features.

use std::str::FromStr;

use orm_core::{Model, schema};
use orm_tests::backend_tests;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::round_trip::round_trips;

/// Floats of every exponent, by bits that look random and are the same every time.
fn many_floats() -> impl Iterator<Item = f64> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from_bits(state)
    })
    .filter(|float| float.is_finite())
}

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "plain",
        "'quoted' \"twice\" `thrice`",
        "back\\slash",
        "line\nfeed\r\n\t",
        "é e\u{301} ß",
        "😀 \u{10ffff}",
        "0123",
        "1e5",
        "\u{1}\u{7f}\u{ffff}",
    ]
    .map(str::to_owned)
    .into();
    // Around the lengths that some databases count in 16 bits, and a megabyte.
    texts.extend([65_535, 65_536, 70_000, 1 << 18].map(|length| "x".repeat(length)));
    texts.push("ab€😀".repeat(110_000));
    texts
}

/// With all their scales, or without the zeros at the end that some databases don't keep.
fn decimals(keeps_scale: bool) -> Vec<Decimal> {
    let decimals: [Decimal; 10] = [
        "0",
        "0.00",
        "1",
        "1.10",
        "-1.1",
        "79228162514264337593543950335",
        "-79228162514264337593543950335",
        "0.0000000000000000000000000001",
        "-7.9228162514264337593543950335",
        "10.000",
    ]
    .map(|text| Decimal::from_str(text).expect("a decimal"));
    decimals.map(|decimal| if keeps_scale { decimal } else { decimal.normalize() }).into()
}

round_trips! {
    /// DESIGN 4
    booleans: bool = vec![false, true];
    /// DESIGN 4
    i16s: i16 = vec![i16::MIN, -1, 0, 1, i16::MAX];
    /// DESIGN 4
    i32s: i32 = vec![i32::MIN, -1, 0, 1, i32::MAX];
    /// DESIGN 4
    i64s: i64 = vec![i64::MIN, i64::MIN + 1, -1, 0, 1, (1 << 53) + 1, i64::MAX];
    /// DESIGN 4
    u8s: u8 = vec![0, 1, 127, 128, u8::MAX];
    /// DESIGN 4
    u16s: u16 = vec![0, 1, 32_767, 32_768, u16::MAX];
    /// DESIGN 4
    u32s: u32 = vec![0, 1, 2_147_483_647, 2_147_483_648, u32::MAX];
    /// DESIGN 4: floats by their bits, subnormal ones too.
    f32s(able): f32 = [
        0.0, 1.0, -1.5, 0.1, f32::MIN, f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1),
        -f32::from_bits(0x7f_ffff), f32::EPSILON, 16_777_217.0, f32::INFINITY, f32::NEG_INFINITY,
    ]
    .into_iter()
    .filter(|float| able.infinity || float.is_finite())
    .collect();
    /// DESIGN 4
    f64s(able): f64 = [
        0.0, 1.0, -1.5, 0.1, 0.1 + 0.2, f64::MIN, f64::MAX, f64::MIN_POSITIVE,
        f64::from_bits(1), -f64::from_bits(0xf_ffff_ffff_ffff), f64::EPSILON,
        9_007_199_254_740_993.0, 1e300, f64::INFINITY, f64::NEG_INFINITY,
    ]
    .into_iter()
    .filter(|float| able.infinity || float.is_finite())
    .chain(many_floats().take(300))
    .collect();
    /// DESIGN 4: texts of nothing, of everything, and of a megabyte.
    strings: String = texts();
    /// DESIGN 4
    bytes: Vec<u8> = vec![
        vec![],
        vec![0],
        vec![0, 255, 39, 34, 92],
        (0..=255).collect(),
        b"text".to_vec(),
        vec![0xC3; 70_000],
        vec![0xC3; 1 << 20],
    ];
    /// DESIGN 4
    uuids: Uuid = vec![Uuid::nil(), Uuid::max(), Uuid::from_u128(1), Uuid::new_v4(), Uuid::now_v7()];
    /// DESIGN 4: decimals with their scale.
    exact_decimals(able): Decimal = decimals(able.keeps_scale);
}

#[derive(Model)]
struct Zero {
    value: f64,
    small: f32,
}

backend_tests! {
    /// SEMANTICS 5.4: SQLite keeps no sign of zero, so memory keeps none either, on any database.
    async fn rule_5_4_zero_has_no_sign(db) {
        db.create(&schema![Zero]).await?;
        let mut session = db.session();
        session.add(Zero::draft().value(-0.0).small(-0.0));
        session.commit().await?;
        let row = Zero::select().on(&db.engine).one().await?;
        assert_eq!((row.value, row.small), (0.0, 0.0));
        assert!(row.value.is_sign_positive() && row.small.is_sign_positive());
        let zero = Zero::select().one(&mut session).await?;
        assert!(session[zero].value.is_sign_positive() && session[zero].small.is_sign_positive());
        assert_eq!(Zero::select().filter(Zero::value.eq(0.0)).count(&mut session).await?, 1);
        assert_eq!(Zero::select().filter(Zero::value.eq(-0.0)).count(&mut session).await?, 1);
    }
}
