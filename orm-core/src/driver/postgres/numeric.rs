//! NUMERIC as it travels: digits to the base of 10,000, and how many decimal ones stand behind
//! the point.
//!
//! By hand, because sqlx forgets how many digits a zero has and lets other numbers overflow.

use rust_decimal::Decimal;

use crate::value::ValueError;

const BASE: u128 = 10_000;

/// How many decimal digits one digit has.
const WIDTH: u32 = 4;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;

/// Appends a decimal.
pub(super) fn write(decimal: Decimal, into: &mut Vec<u8>) -> Result<(), ValueError> {
    let impossible = |_| ValueError::new("the decimal has too many digits");
    let behind = decimal.scale().div_ceil(WIDTH);
    // At most 96 bits and three decimal digits.
    let mut rest =
        decimal.mantissa().unsigned_abs() * 10_u128.pow(behind * WIDTH - decimal.scale());
    let mut digits = [0_u16; 16];
    let mut first = digits.len();
    while rest > 0 {
        first -= 1;
        digits[first] = u16::try_from(rest % BASE).map_err(impossible)?;
        rest /= BASE;
    }
    let digits = &digits[first..];
    let (weight, sign) = match digits.len() {
        0 => (0, 0),
        count => {
            let count = i16::try_from(count).map_err(impossible)?;
            let weight = count - i16::try_from(behind).map_err(impossible)? - 1;
            (weight, if decimal.is_sign_negative() { NEGATIVE } else { 0 })
        }
    };
    into.extend(u16::try_from(digits.len()).map_err(impossible)?.to_be_bytes());
    into.extend(weight.to_be_bytes());
    into.extend(sign.to_be_bytes());
    into.extend(u16::try_from(decimal.scale()).map_err(impossible)?.to_be_bytes());
    for digit in digits {
        into.extend(digit.to_be_bytes());
    }
    Ok(())
}

/// Reads a decimal with all its digits.
pub(super) fn read(bytes: &[u8]) -> Result<Decimal, ValueError> {
    let (mantissa, scale) = parts(bytes)?;
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| too_long())
}

/// Reads a number that has nothing behind the point: a sum of BIGINTs is one.
pub(super) fn read_integer(bytes: &[u8]) -> Result<i64, ValueError> {
    let (mut mantissa, scale) = parts(bytes)?;
    for _ in 0..scale {
        if mantissa % 10 != 0 {
            return Err(ValueError::new("the number is not an integer"));
        }
        mantissa /= 10;
    }
    i64::try_from(mantissa).map_err(|_| ValueError::new("the number doesn't fit 64 bits"))
}

fn too_long() -> ValueError {
    ValueError::new("the number has more digits than fit")
}

/// The digits as an integer, and how many of them stand behind the point. Zeros at the end are
/// left out as far as they are more than fit.
fn parts(bytes: &[u8]) -> Result<(i128, u32), ValueError> {
    let mut words = bytes.chunks_exact(2).map(|word| u16::from_be_bytes([word[0], word[1]]));
    let mut word = || words.next().ok_or_else(|| ValueError::new("the number is cut off"));
    let (count, weight, sign, scale) = (word()?, word()?, word()?, u32::from(word()?));
    let weight = i32::from(weight.cast_signed());
    let negative = match sign {
        0 => false,
        NEGATIVE => true,
        NAN => return Err(ValueError::new("the number is NaN")),
        _ => return Err(ValueError::new("the number is infinite")),
    };
    let mut mantissa: u128 = 0;
    for _ in 0..count {
        let digit = u128::from(word()?);
        let next = mantissa.checked_mul(BASE).and_then(|mantissa| mantissa.checked_add(digit));
        mantissa = next.ok_or_else(too_long)?;
    }
    // The last digit stands at this power of ten.
    let mut exponent = (weight + 1 - i32::from(count.cast_signed())) * WIDTH.cast_signed();
    let wanted = -scale.cast_signed();
    let wanted = wanted.max(-28);
    while mantissa > 0 && exponent < wanted {
        if !mantissa.is_multiple_of(10) {
            return Err(too_long());
        }
        mantissa /= 10;
        exponent += 1;
    }
    let mut scale = (-wanted).cast_unsigned();
    if mantissa > 0 {
        while exponent > wanted {
            let next = mantissa.checked_mul(10).filter(|next| *next < 1 << 96);
            match next {
                Some(next) => mantissa = next,
                None if exponent <= 0 => {
                    // Only zeros are missing: the number has less of them.
                    scale = (-exponent).cast_unsigned();
                    break;
                }
                None => return Err(too_long()),
            }
            exponent -= 1;
        }
    }
    let mantissa = i128::try_from(mantissa).map_err(|_| too_long())?;
    Ok((if negative { -mantissa } else { mantissa }, scale))
}
