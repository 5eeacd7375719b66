using System.Globalization;

namespace Graft.Modeling.Tokenizers.Text;

/// <summary>Classes of code points that normalizers, pre-tokenizers and patterns name.</summary>
internal static class CharacterClasses
{
    public static UnicodeCategory CategoryOf(int point) => CharUnicodeInfo.GetUnicodeCategory(point);

    /// <summary>The property White_Space; all of it is in the Basic Multilingual Plane.</summary>
    public static bool IsWhiteSpace(int point) => point < 0x10000 && char.IsWhiteSpace((char)point);

    /// <summary><c>\w</c> of UTS #18: letters, marks, decimal numbers, connectors, what is alphabetic otherwise, and joiners.</summary>
    public static bool IsWord(int point) => CategoryOf(point) switch
    {
        <= UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
            or UnicodeCategory.EnclosingMark or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber
            or UnicodeCategory.ConnectorPunctuation => true,
        UnicodeCategory.OtherSymbol => point is >= 0x24B6 and <= 0x24E9 or >= 0x1F130 and <= 0x1F149 or >= 0x1F150 and <= 0x1F169
            or >= 0x1F170 and <= 0x1F189,
        UnicodeCategory.Format => point is 0x200C or 0x200D,
        _ => false,
    };

    /// <summary><c>\w</c> of Oniguruma: without joiners, but with the small numbers and fractions of Latin-1.</summary>
    public static bool IsPatternWord(int point) => point switch
    {
        0xB2 or 0xB3 or 0xB9 or 0xBC or 0xBD or 0xBE => true,
        0x200C or 0x200D => false,
        _ => IsWord(point),
    };

    /// <summary>Punctuation by category, and all signs of ASCII, as BERT has it.</summary>
    public static bool IsPunctuation(int point) =>
        point is >= 33 and <= 47 or >= 58 and <= 64 or >= 91 and <= 96 or >= 123 and <= 126 || CategoryOf(point) is
            UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation
            or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation
            or UnicodeCategory.OtherPunctuation;

    public static bool IsNumber(int point) =>
        CategoryOf(point) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>Control, format, surrogate, private use, unassigned.</summary>
    public static bool IsOther(int point) => CategoryOf(point) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;

    /// <summary>The blocks of Chinese characters that BERT puts blanks around.</summary>
    public static bool IsChinese(int point) => point is >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF or >= 0x20000 and <= 0x2A6DF
        or >= 0x2A700 and <= 0x2B73F or >= 0x2B740 and <= 0x2B81F or >= 0x2B920 and <= 0x2CEAF or >= 0xF900 and <= 0xFAFF
        or >= 0x2F800 and <= 0x2FA1F;
}
