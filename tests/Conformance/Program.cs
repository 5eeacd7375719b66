namespace Graft.Conformance;

/// <summary>What this project does beside being tests: it writes the page that says what the embedded API does.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is not ["page"])
        {
            Console.Error.WriteLine("usage: page    writes docs/local-api.md from the table of behaviours; `dotnet test` runs them");
            return 2;
        }
        var path = Page.Find();
        File.WriteAllText(path, Page.Text(Table.Areas));
        Console.WriteLine($"wrote {path}");
        return 0;
    }
}
