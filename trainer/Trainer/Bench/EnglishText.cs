using System.Text;

namespace Graft.Trainer.Bench;

/// <summary>
/// Made-up English for measuring: frequent words often and rare ones seldom, as in real texts, with new words, numbers and signs.
/// </summary>
internal static class EnglishText
{
    private const string Frequent = """
        the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you
        were her all she there would their we him been has when who will more no if out so said what up its about into than them can
        only other new some could time these two may then do first any my now such like our over man me even most made after also
        did many before must through back years where much your way well down should because each just those people how too little
        state good very make world still own see men work long here get both between life being under never day same another know
        while last might us great old year off come since against go came right used take three states himself few house use during
        without again place around however home small found thought went say part once general high upon school every does got
        united left number course war until always away something fact though water less public put thing almost hand enough far
        took head yet government system better set told nothing night end why called eyes find going look asked later knew point
        next program city business give group toward young days let room word president social present given several order national
        possible rather second face per among form important often things looked early white case become large big need four within
        felt along children saw best church ever least power development light seemed thing family interest want members mind
        country area others done turned although open god service certain kind problem began different door thus help means sense
        whole matter
        """;

    private static readonly string[] Stems = ["account", "arrang", "collect", "consider", "describ", "examin", "govern", "import",
        "measur", "observ", "produc", "regulat"];
    private static readonly string[] Endings = ["s", "ed", "ing", "ation", "ment", "able", "er", "ive", "ement", "al", "or", "ity"];

    /// <param name="length">In characters.</param>
    public static string Make(int length, int seed)
    {
        var random = new Random(seed);
        var words = Frequent.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var text = new StringBuilder(length + 200);
        while (text.Length < length)
        {
            var count = random.Next(6, 24);
            for (var i = 0; i < count; i++)
            {
                var word = Word(words, random);
                if (i == 0) word = char.ToUpperInvariant(word[0]) + word[1..];
                text.Append(i == 0 ? "" : random.Next(12) == 0 ? ", " : " ").Append(word);
            }
            text.Append(random.Next(10) == 0 ? "?" : ".").Append(random.Next(6) == 0 ? "\n\n" : " ");
        }
        return text.ToString(0, length);
    }

    private static string Word(string[] words, Random random)
    {
        var kind = random.Next(100);
        if (kind < 85) return words[(int)(words.Length * Math.Pow(random.NextDouble(), 2.5))];
        if (kind < 95) return Stems[random.Next(Stems.Length)] + Endings[random.Next(Endings.Length)];
        if (kind < 97) return $"{random.Next(10_000)}";
        if (kind < 98) return words[random.Next(words.Length)] + "'s";
        // A name that was never seen before.
        var name = new char[random.Next(4, 11)];
        for (var i = 0; i < name.Length; i++) name[i] = i % 2 == 0 ? "bcdfghklmnprstvw"[random.Next(16)] : "aeiou"[random.Next(5)];
        return new string(name);
    }
}
