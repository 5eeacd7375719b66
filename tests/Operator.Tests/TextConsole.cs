using System.Text;
using Spectre.Console;

namespace Graft.Operator.Tests;

/// <summary>A terminal of a given width whose screen is a text.</summary>
internal sealed class TextConsole : IAnsiConsoleOutput
{
    private readonly StringWriter _text = new();

    private TextConsole(int width) => Width = width;

    public TextWriter Writer => _text;

    public bool IsTerminal => true;

    public int Width { get; }

    public int Height => 50;

    public void SetEncoding(Encoding encoding) { }

    /// <returns>The console, and what stands on it, with control sequences.</returns>
    public static (IAnsiConsole Console, Func<string> Text) Create(int width = 200)
    {
        var output = new TextConsole(width);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = output,
        });
        return (console, output._text.ToString);
    }
}
