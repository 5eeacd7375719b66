using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Graft.Trainer.Cli;

/// <summary>A verb of the program with the pages that its help ends with: what there is to know, and examples.</summary>
/// <param name="summary">One line, which the program's own help shows too.</param>
internal sealed class Verb(string name, string summary, string manual) : Command(name, summary)
{
    public string Manual => manual;

    /// <summary>Lets the help of <paramref name="root"/> and of its verbs end with their manuals.</summary>
    public static void ShowManuals(RootCommand root, string manual)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new Help((HelpAction)help.Action!, manual);
    }

    private sealed class Help(HelpAction usual, string rootManual) : SynchronousCommandLineAction
    {
        /// <summary>Help is given although required options are missing.</summary>
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parsed)
        {
            var code = usual.Invoke(parsed);
            parsed.InvocationConfiguration.Output.WriteLine(parsed.CommandResult.Command is Verb verb ? verb.Manual : rootManual);
            return code;
        }
    }
}
