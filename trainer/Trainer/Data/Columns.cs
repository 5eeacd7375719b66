using Graft.Contract;

namespace Graft.Trainer.Data;

/// <summary>The columns that are looked for when the job names none.</summary>
internal static class Columns
{
    public static DataColumns? Find(Func<string, bool> has)
    {
        if (has("prompt") && has("completion")) return new DataColumns(Prompt: "prompt", Completion: "completion");
        if (has("messages")) return new DataColumns(Messages: "messages");
        return has("text") ? new DataColumns(Text: "text") : null;
    }

    public static string Missing(IEnumerable<string> present) =>
        $"no prompt and completion, no messages, no text among its columns ({string.Join(", ", present)}); "
        + "name the columns with data.train[].columns";
}
