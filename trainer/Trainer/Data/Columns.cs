using Graft.Contract;

namespace Graft.Trainer.Data;

/// <summary>The columns that are looked for when the job names none.</summary>
internal static class Columns
{
    /// <param name="labeled">For rows that are classified.</param>
    public static DataColumns? Find(Func<string, bool> has, bool labeled)
    {
        if (labeled) return has("text") && has("label") ? Labeled(null) : null;
        if (has("prompt") && has("completion")) return new DataColumns(Prompt: "prompt", Completion: "completion");
        if (has("messages")) return new DataColumns(Messages: "messages");
        return has("text") ? new DataColumns(Text: "text") : null;
    }

    /// <summary>Those that a job names, and the usual name of one that it does not.</summary>
    public static DataColumns Labeled(DataColumns? named) => new(Text: named?.Text ?? "text", Label: named?.Label ?? "label");

    public static string Missing(IEnumerable<string> present, bool labeled) => labeled
        ? $"no text and label among its columns ({string.Join(", ", present)}); name the columns with data.train[].columns"
        : $"no prompt and completion, no messages, no text among its columns ({string.Join(", ", present)}); "
        + "name the columns with data.train[].columns";
}
