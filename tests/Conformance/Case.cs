using Graft.Conformance.Harness;

namespace Graft.Conformance;

/// <summary>Where Kubernetes promises a behaviour: documentation, a KEP, or its source.</summary>
internal sealed record Source(string Title, string Url);

/// <summary>What a case cannot do without.</summary>
internal enum Needs
{
    /// <summary>An API server.</summary>
    Nothing,

    /// <summary>Controllers, and pods that really run an image with a shell.</summary>
    Pods,

    /// <summary>A node that pods are bound to.</summary>
    Node,
}

/// <summary>One behaviour of an API server: requests, and what is observed of them.</summary>
/// <param name="Sentence">What Kubernetes does, for people: the name of the test, and a line of docs/local-api.md.</param>
/// <param name="Source">Who says so.</param>
/// <param name="Run">Makes the requests in a namespace of its own, and fails where something else is observed.</param>
internal sealed record Case(string Sentence, Source Source, Func<Space, Task> Run)
{
    /// <summary>Not implemented by the embedded server yet: what one gets instead. The case then has to fail there.</summary>
    public string? Lacks { get; init; }

    public Needs Needs { get; init; }

    /// <summary>A case of one request that is refused.</summary>
    /// <param name="words">What the message has to say.</param>
    public static Case Refused(string sentence, Source source, Func<Space, Task<Answer>> ask, int code, string reason,
        params string[] words) =>
        new(sentence, source, async space => (await ask(space)).Refuses(code, reason, words));
}

/// <summary>Cases that belong together; a section of docs/local-api.md.</summary>
internal sealed record Area(string Title, IReadOnlyList<Case> Cases);
