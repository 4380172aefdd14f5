"""physolve"""
