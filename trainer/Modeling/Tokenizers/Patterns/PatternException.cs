namespace Graft.Modeling.Tokenizers.Patterns;

/// <summary>A pattern that cannot be read, or that uses what is not supported.</summary>
internal sealed class PatternException(string message) : Exception(message);
