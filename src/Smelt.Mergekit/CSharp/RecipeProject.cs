using System.Text;
using Smelt.Recipes;

namespace Smelt.Mergekit.CSharp;

/// <summary>A recipe to be written as C#.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Recipe">The recipe.</param>
/// <param name="IsStage">Whether later recipes use its output.</param>
public sealed record SourceRecipe(string Name, Recipe Recipe, bool IsStage = false);

/// <summary>Writes recipes as a C# project.</summary>
public static class RecipeProject
{
    /// <summary>The C# source of recipes: a class for each, and one of properties for the stages.</summary>
    /// <param name="project">The project's name.</param>
    /// <param name="recipes">The recipes, stages before the recipes that use them.</param>
    /// <param name="origin">What they were imported from, for the comments.</param>
    public static string Source(string project, IReadOnlyList<SourceRecipe> recipes, string origin)
    {
        SourceRecipe[] stages = [.. recipes.Where(r => r.IsStage)];
        SourceRecipe[] outputs = [.. recipes.Where(r => !r.IsStage)];
        var properties = stages.Zip(CSharpNames.Classes(stages.Select(s => s.Name)), (s, name) => (s.Name, s.Recipe, Member: $"{CSharpNames.StageClass}.{name}")).ToArray();
        var classes = CSharpNames.Classes(outputs.Select(o => o.Name));
        var text = new StringBuilder($"namespace {CSharpNames.Namespace(project)};\n");
        if (stages.Length > 0)
        {
            text.Append($"\n/// <summary>The stages of {Comment(origin)}, merged on the way.</summary>\ninternal static class {CSharpNames.StageClass}\n{{");
            for (var i = 0; i < stages.Length; i++)
            {
                text.Append($"\n    /// <summary>The stage {Comment(stages[i].Name)}.</summary>\n");
                text.Append($"    public static Recipe {properties[i].Member[(CSharpNames.StageClass.Length + 1)..]} => {new SourceWriter(properties[..i]).Write(stages[i].Recipe, 1)};\n");
            }

            text.Append("}\n");
        }

        for (var i = 0; i < outputs.Length; i++)
        {
            text.Append($"\n/// <summary>The merge of {Comment(origin)}.</summary>\n[Recipe({SourceWriter.Text(outputs[i].Name)})]\npublic static partial class {classes[i]}\n{{\n");
            text.Append($"    /// <summary>The recipe.</summary>\n    public static Recipe Define() => {new SourceWriter(properties).Write(outputs[i].Recipe, 1)};\n}}\n");
        }

        return text.ToString();
    }

    /// <summary>The project file.</summary>
    /// <param name="version">The version of Smelt.Recipes to reference; null where the folder's Directory.Build.props does it.</param>
    public static string ProjectFile(string? version) => version is null
        ? """
          <Project Sdk="Microsoft.NET.Sdk">
          </Project>

          """
        : $"""
          <Project Sdk="Microsoft.NET.Sdk">
            <PropertyGroup>
              <TargetFramework>net10.0</TargetFramework>
              <Nullable>enable</Nullable>
              <ImplicitUsings>enable</ImplicitUsings>
            </PropertyGroup>
            <ItemGroup>
              <PackageReference Include="Smelt.Recipes" Version="{version}" />
            </ItemGroup>
          </Project>

          """;

    private static string Comment(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
